#ifndef RECO_EVAL_DOCTOR_PAGE_H
#define RECO_EVAL_DOCTOR_PAGE_H

/* The doctor's report (data/doctor.h) as one self-contained page, with pictures. */

#include <jansson.h>

#include "eval/page.h"

enum { DOCTOR_PICTURES_MAX = 8 };

struct doctor_pictures {
    struct page_picture items[DOCTOR_PICTURES_MAX];
    size_t count;
};

/* The pictures that the report gives. pictures is zero-initialised; release it also after failure. */
int doctor_pictures_plan(struct doctor_pictures *pictures, const json_t *report) RECO_MUST_CHECK;
void doctor_pictures_release(struct doctor_pictures *pictures);

/* Appended to b. command: the command line, for the foot of the page; may be NULL. */
int doctor_page(struct buf *b, const json_t *report, const struct doctor_pictures *pictures,
                const char *command) RECO_MUST_CHECK;

#endif
