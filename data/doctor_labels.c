#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "data/doctor_internal.h"
#include "data/number.h"

static size_t equal_number(const struct doctor_labels *l, double number)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->numbers[i] == number)
            return i;
    }
    return l->count;
}

/* A spelling seen for the first time: of a class that is there, or of a new one. */
static int enter_spelling(struct doctor_labels *l, const char *text, size_t length, uint32_t spelling)
{
    double number = NAN;
    size_t class = l->count;

    l->texts[spelling] = text_store_add(&l->store, text, length);
    if (l->texts[spelling] == NULL)
        return RECO_E_NOMEM;
    l->spelling_count = spelling + 1;
    if (number_parse(text, length, &number))
        class = equal_number(l, number);
    if (class == l->count) {
        if (l->count == DOCTOR_CLASSES_MAX) {
            l->overflow = true;
            l->class_of[spelling] = DOCTOR_NO_CLASS;
            return 0;
        }
        const char *masked = text;
        size_t masked_length = length;
        int rc = clean_text(l->masker, CLEAN_SIDE_COLUMN, text, length, &masked, &masked_length);
        char *name = rc < 0 ? NULL : doctor_utf8(masked, masked_length);
        l->names[class] = name == NULL ? NULL : text_store_add(&l->store, name, strlen(name));
        mem_free(name);
        if (l->names[class] == NULL)
            return RECO_E_NOMEM;
        l->numbers[class] = number;
        l->all_numbers = (class == 0 || l->all_numbers) && !isnan(number);
        l->count++;
    }
    l->class_of[spelling] = (uint16_t) class;
    return 0;
}

int doctor_labels_enter(struct doctor_labels *l, const char *text, size_t length, size_t file, uint16_t *class)
{
    uint32_t spelling;
    int rc = 0;

    *class = DOCTOR_NO_CLASS;
    if (length == 0) {
        l->missing[file]++;
        return 0;
    }
    if (l->counts == NULL && (l->counts = mem_calloc(DOCTOR_CLASSES_MAX, sizeof *l->counts)) == NULL)
        return RECO_E_NOMEM;
    if (l->overflow) {
        l->other[file]++;
        return 0;
    }
    rc = text_index_enter(&l->index, l->texts, (uint32_t)l->spelling_count, text, length, &spelling);
    if (rc == 0 && spelling == TEXT_INDEX_NONE) {
        spelling = (uint32_t)l->spelling_count;
        rc = enter_spelling(l, text, length, spelling);
        l->overflow = l->overflow || l->spelling_count == 2 * DOCTOR_CLASSES_MAX;
    }
    if (rc < 0)
        return rc;
    *class = l->class_of[spelling];
    if (*class == DOCTOR_NO_CLASS)
        l->other[file]++;
    else
        l->counts[*class][file]++;
    return 0;
}

const char *doctor_labels_name(const struct doctor_labels *l, size_t class)
{
    return l->names[class];
}

static int compare_classes(const void *left, const void *right, void *arg)
{
    const struct doctor_labels *l = arg;
    uint16_t a = *(const uint16_t *)left, b = *(const uint16_t *)right;

    if (l->all_numbers && l->numbers[a] != l->numbers[b])
        return l->numbers[a] < l->numbers[b] ? -1 : 1;
    return strcmp(doctor_labels_name(l, a), doctor_labels_name(l, b));
}

uint16_t *doctor_labels_order(const struct doctor_labels *l)
{
    uint16_t *order = mem_alloc((l->count + 1) * sizeof *order);

    if (order == NULL)
        return NULL;
    for (size_t i = 0; i < l->count; i++)
        order[i] = (uint16_t)i;
    qsort_r(order, l->count, sizeof *order, compare_classes, (void *)l);
    return order;
}

void doctor_labels_release(struct doctor_labels *l)
{
    if (l == NULL)
        return;
    text_store_release(&l->store);
    text_index_release(&l->index);
    mem_free(l->counts);
}
