#include "data/wordpiece.h"

int wordpiece_truncate(size_t *first, size_t *second, bool pair, size_t max_length, enum wordpiece_truncation strategy)
{
    size_t specials = pair ? 3 : 2;
    if (max_length < specials)
        return err_set(RECO_E_USAGE, "a maximum of %zu tokens leaves no room for the %zu special tokens", max_length,
                       specials);
    size_t room = max_length - specials;
    size_t a = *first, b = pair ? *second : 0;
    if (a <= room && b <= room - a)
        return 0;
    if (room == 0) { /* the library cuts everything then, whatever the strategy */
        *first = 0;
        if (pair)
            *second = 0;
        return 0;
    }
    if (!pair && strategy == WORDPIECE_LONGEST_FIRST) {
        *first = room;
        return 0;
    }
    if (strategy == WORDPIECE_ONLY_SECOND) {
        if (a >= room)
            return err_set(RECO_E_DATA, "the first text takes %zu of %zu tokens and leaves none for the second", a,
                           room);
        *second = room - a;
        return 0;
    }
    /* longest_first: the shorter text is kept whole while it takes no more than half; the odd token goes to the longer.
     */
    size_t shorter = a <= b ? a : b;
    if (shorter > room / 2)
        shorter = room / 2;
    *first = a <= b ? shorter : room - shorter;
    *second = a <= b ? room - shorter : shorter;
    return 0;
}
