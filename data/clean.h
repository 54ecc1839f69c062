#ifndef RECO_DATA_CLEAN_H
#define RECO_DATA_CLEAN_H

/*
 * Cleaning: named rules in a table. A text rule changes a text (html, whitespace, masks), a row rule drops a row
 * (lengths, anomalies), a set rule needs the whole data and is carried out by prepare and merge (duplicates,
 * near_duplicates, contradictions, leaks). Every rule counts what it did. Nothing is changed that was not asked for.
 *
 * To add a text or row rule: its function in clean_<what>.c, one row in clean.c's table, one test row.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/opt.h"

enum clean_stage { CLEAN_STAGE_TEXT, CLEAN_STAGE_ROW, CLEAN_STAGE_SET };
enum clean_side { CLEAN_SIDE_QUERY, CLEAN_SIDE_DESCRIPTION, CLEAN_SIDE_COLUMN /* carried columns: masks only */ };

struct clean_rule_info {
    const char *name, *help;
    enum clean_stage stage;
    bool mask;   /* switched on by --mask, not by --clean */
    bool in_all; /* part of '--clean all' */
};
size_t clean_rule_count(void);
const struct clean_rule_info *clean_rule_at(size_t index);

struct clean_options {
    struct opt_list clean; /* rule names, "all" */
    struct opt_list mask;  /* "email", "phone", "card", "all" */
    int64_t min_query_chars, max_query_chars, min_description_chars,
        max_description_chars;       /* 0: no limit; code points */
    int contradictions;              /* enum clean_contradictions */
    double near_duplicate_threshold; /* Jaccard of word 3-shingles, (0, 1] */
};
enum clean_contradictions {
    CLEAN_CONTRADICTIONS_DROP,     /* every row of the pair */
    CLEAN_CONTRADICTIONS_MAJORITY, /* keep the rows of the most frequent label; a tie: drop all */
    CLEAN_CONTRADICTIONS_FIRST
};
extern const char *const clean_contradictions_choices[];
int clean_options_check(const struct clean_options *options) RECO_MUST_CHECK; /* RECO_E_USAGE names the nearest rule */
/* Of one item of --clean and --mask, for the option's row (core/opt.h). */
int clean_rule_check(const char *option, const char *name) RECO_MUST_CHECK;
int clean_mask_check(const char *option, const char *name) RECO_MUST_CHECK;

/* The rules and the masks, one a line with what they do, for a command's help; appended. */
int clean_help_text(struct buf *b) RECO_MUST_CHECK;

struct cleaner; /* read-only after new; shared by threads */
int cleaner_new(struct cleaner **out, const struct clean_options *options) RECO_MUST_CHECK;
void cleaner_free(struct cleaner *c);
bool cleaner_is_on(const struct cleaner *c, size_t rule);
bool cleaner_has(const struct cleaner *c, const char *rule); /* on, by name */
bool cleaner_masks(const struct cleaner *c);                 /* any mask is on */

struct clean_counts { /* [clean_rule_count()], one a lane; add them up */
    uint64_t *texts, *rows;
};

struct clean_lane; /* scratch and counts of one thread */
int clean_lane_new(struct clean_lane **out, const struct cleaner *c) RECO_MUST_CHECK;
void clean_lane_free(struct clean_lane *lane);
/* *out is the text after all text rules: text itself when no rule changed it, else borrowed until the same side's next
 * call. */
int clean_text(struct clean_lane *lane, enum clean_side side, const char *text, size_t length, const char **out,
               size_t *out_length) RECO_MUST_CHECK;
/*
 * The masks alone, as of a carried column, for anything else that is to be written (a bad row, a sample in a report).
 * *out as in clean_text, borrowed until the next clean_mask.
 */
int clean_mask(struct clean_lane *lane, const char *text, size_t length, const char **out,
               size_t *out_length) RECO_MUST_CHECK;
/*
 * *rule: the row rule that drops the row, clean_rule_count() when it is kept. Texts are those after clean_text;
 * description NULL: single texts.
 */
int clean_row(struct clean_lane *lane, const char *query, size_t query_length, const char *description,
              size_t description_length, size_t *rule) RECO_MUST_CHECK;
const struct clean_counts *clean_lane_counts(const struct clean_lane *lane);

/* Detectors shared with doctor: what is in a text, without changing it. Bits of enum clean_finding. */
enum clean_finding {
    CLEAN_FOUND_HTML = 1u << 0,
    CLEAN_FOUND_SCRIPT = 1u << 1, /* script or style remnants, CSS, JavaScript */
    CLEAN_FOUND_ENTITY = 1u << 2, /* &amp; &#39; */
    CLEAN_FOUND_CONTROL = 1u << 3,
    CLEAN_FOUND_BLANKS = 1u << 4, /* runs of white space, at the ends too */
    CLEAN_FOUND_EMAIL = 1u << 5,
    CLEAN_FOUND_PHONE = 1u << 6,
    CLEAN_FOUND_CARD = 1u << 7, /* passes the Luhn check */
    CLEAN_FOUND_MOJIBAKE = 1u << 8,
    CLEAN_FOUND_REPLACEMENT = 1u << 9, /* U+FFFD, or invalid UTF-8 */
    CLEAN_FOUND_REPEATED = 1u << 10    /* one character or word over and over: anomalous */
};
int clean_find(struct clean_lane *lane, const char *text, size_t length, unsigned *findings) RECO_MUST_CHECK;

#endif
