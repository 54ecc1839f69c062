/*
 * Any bytes as a text to be cleaned and masked. The first byte chooses the rules. What must hold: cleaning what is
 * clean changes nothing, valid UTF-8 stays valid, nothing found by a mask is left, and the detectors end.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "data/clean.h"
#include "data/mask.h"
#include "data/near_dup_internal.h"
#include "data/script_detect.h"
#include "data/utf8.h"
#include "fuzz.h"

enum { RULE_SETS = 5 };

static struct cleaner *cleaners[RULE_SETS];
static struct clean_lane *lanes[RULE_SETS];

static void require(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static void start(void)
{
    static char all[] = "all", nfkc[] = "nfkc", quotes[] = "quotes", html[] = "html", script[] = "script";
    static char *everything[] = {all, nfkc, quotes}, *markup[] = {html, script};
    const struct clean_options options[RULE_SETS] = {
        {.clean = {everything, 1}, .mask = {everything, 1}},
        {.clean = {everything, 3}, .mask = {everything, 1}},
        {.clean = {markup, 1}},
        {.clean = {markup, 2}},
        {.mask = {everything, 1}},
    };
    for (size_t i = 0; i < RULE_SETS; i++) {
        struct clean_options o = options[i];
        o.near_duplicate_threshold = 0.8;
        require(cleaner_new(&cleaners[i], &o) == 0, "a cleaner");
        require(clean_lane_new(&lanes[i], cleaners[i]) == 0, "a lane");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *once, *twice;
    size_t once_length, twice_length, rule;
    unsigned findings;
    if (cleaners[0] == NULL)
        start();
    if (size == 0)
        return 0;
    struct clean_lane *lane = lanes[data[0] % RULE_SETS];
    bool masks = cleaner_masks(cleaners[data[0] % RULE_SETS]);
    size_t length = size - 1;
    char *text = mem_alloc(size > 1 ? length : 1); /* of its own, so that reading too far is seen */
    require(text != NULL, "memory");
    memcpy(text, data + 1, length);

    require(clean_text(lane, CLEAN_SIDE_QUERY, text, length, &once, &once_length) == 0, "cleaning");
    require(once != text || once_length == length, "a text that is not changed is the text");
    require(!utf8_is_valid(text, length, NULL) || utf8_is_valid(once, once_length, NULL), "valid UTF-8 stays valid");
    require(clean_text(lane, CLEAN_SIDE_DESCRIPTION, once, once_length, &twice, &twice_length) == 0, "cleaning again");
    require(twice == once, "a clean text is not changed");
    for (int kind = 0; masks && kind < MASK_KINDS; kind++) {
        struct mask_span span;
        require(!mask_find((enum mask_kind)kind, once, once_length, 0, &span), "nothing is left to mask");
    }
    require(clean_row(lane, once, once_length, text, length, &rule) == 0, "row rules");
    require(clean_find(lane, text, length, &findings) == 0, "finding");
    require(script_detect(text, length) < script_count(), "a script");
    require(language_guess(text, length) < language_count(), "a language");
    struct near_dup_scratch scratch = {0};
    require(near_dup_shingles(&scratch, text, length) == 0, "shingles");
    near_dup_scratch_release(&scratch);
    mem_free(text);
    return 0;
}
