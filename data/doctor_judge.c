#include <string.h>

#include "core/mem.h"
#include "data/doctor_internal.h"
#include "data/number.h"

enum { MENTIONED_MAX = 8, SMALL_SAMPLE = 50, LONG_NAME = 60 };

uint64_t doctor_rows(const struct doctor *d)
{
    uint64_t rows = 0;

    for (size_t f = 0; f < d->file_count; f++)
        rows += d->files[f].rows;
    return rows;
}

size_t doctor_train_file(const struct doctor *d)
{
    for (size_t f = 0; f < d->file_count; f++) {
        if (d->files[f].role != NULL && strcmp(d->files[f].role, "train") == 0)
            return f;
    }
    return 0;
}

/* ---- findings as JSON ---- */

static json_t *examples_json(const struct doctor *d, const struct doctor_tally *tally)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && tally != NULL && i < tally->example_count; i++) {
        const struct doctor_example *e = &tally->examples[i];
        json_array_append_new(array, json_pack("{s:s, s:I, s:s}", "file", d->files[doctor_place_file(e->place)].name,
                                               "line", (json_int_t)doctor_place_line(e->place), "text", e->text));
    }
    return array;
}

static json_t *file_counts_json(const struct doctor *d, const struct doctor_finding *f)
{
    json_t *object = json_object();

    for (size_t i = 0; object != NULL && f->tally != NULL && i < d->file_count; i++) {
        if (f->tally->files[i] > 0)
            json_object_set_new(object, d->files[i].name, json_integer((json_int_t)f->tally->files[i]));
    }
    return object;
}

static const char *file_name(const struct doctor *d, size_t file)
{
    return file == DOCTOR_NONE ? NULL : d->files[file].name;
}

int doctor_finding_add(struct doctor *d, const struct doctor_finding *f)
{
    const struct doctor_rule *rule = &doctor_rules[f->rule];
    double share = f->of > 0 ? (double)f->count / (double)f->of : 0.0;
    struct buf what = {0};
    int rc = f->what != NULL ? buf_add_str(&what, f->what)
                             : buf_printf(&what, "%s in %llu of %llu rows (%.2g %%)", rule->what,
                                          (unsigned long long)f->count, (unsigned long long)f->of, 100.0 * share);

    const char *option = f->no_option ? NULL : f->option != NULL ? f->option : rule->option;
    const char *value = option == NULL ? NULL : f->option != NULL ? f->value : rule->value;
    if (rc == 0 && json_array_append_new(
                       d->findings,
                       json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:I, s:I, s:f, s:s, s:s, s:s?, s:s?, s:o, s:o}", "rule",
                                 rule->name, "severity", doctor_severity_names[f->severity], "column",
                                 f->column == DOCTOR_NONE ? NULL : d->schema.names[f->column], "file",
                                 file_name(d, f->file), "other_file", file_name(d, f->other_file), "count",
                                 (json_int_t)f->count, "of", (json_int_t)f->of, "share", share, "what", buf_str(&what),
                                 "mend", f->mend != NULL ? f->mend : rule->mend, "option", option, "value", value,
                                 "files", file_counts_json(d, f), "examples", examples_json(d, f->tally))) < 0)
        rc = err_nomem();
    buf_release(&what);
    return rc;
}

static int add(struct doctor *d, enum doctor_rule_id rule, enum doctor_severity severity, size_t file, size_t column,
               const char *what)
{
    return doctor_finding_add(d, &(struct doctor_finding){.rule = rule,
                                                          .severity = severity,
                                                          .column = column,
                                                          .file = file,
                                                          .other_file = DOCTOR_NONE,
                                                          .what = what});
}

/* ---- files ---- */

static bool is_text(const struct doctor *d, size_t column)
{
    for (size_t i = 0; i < d->schema.text_count; i++) {
        if (d->schema.texts[i] == column)
            return true;
    }
    return false;
}

static int judge_bad_rows(struct doctor *d, size_t f)
{
    const struct doctor_file *file = &d->files[f];
    uint64_t rows = file->rows + file->bad_rows;
    const char *mend = NULL;

    if (file->bad_rows == 0)
        return 0;
    if (2 * file->bad_rows > rows)
        mend = "most rows do not fit the header: see --delimiter, --quote, --columns";
    char what[80];
    (void)snprintf(what, sizeof what, "%llu of %llu rows cannot be read", (unsigned long long)file->bad_rows,
                   (unsigned long long)rows);
    bool refused = file->bad_rows > 1 && file->bad_rows * 1000 > rows; /* reco prepare's own limit */
    return doctor_finding_add(d,
                              &(struct doctor_finding){.rule = DOCTOR_BAD_ROWS,
                                                       .severity = refused ? DOCTOR_ERROR : DOCTOR_WARNING,
                                                       .column = DOCTOR_NONE,
                                                       .file = f,
                                                       .other_file = DOCTOR_NONE,
                                                       .count = file->bad_rows,
                                                       .of = rows,
                                                       .what = what,
                                                       .mend = mend,
                                                       .tally = doctor_tally_get(&d->tallies, DOCTOR_BAD_ROWS, 1 + f)});
}

/* A column of the report that a file lacks. */
static int judge_lacking(struct doctor *d, size_t f, size_t column)
{
    char *what;
    int rc;

    if (column == DOCTOR_NONE || d->files[f].column_of[column] != DOCTOR_NONE)
        return 0;
    bool label = column == d->schema.label, text = is_text(d, column);
    if (!text && (!label || (d->files[f].role != NULL && strcmp(d->files[f].role, "test") == 0)))
        return 0;
    what = mem_printf("%s has no column '%s'", d->files[f].name, d->schema.names[column]);
    if (what == NULL)
        return RECO_E_NOMEM;
    rc = add(d, DOCTOR_COLUMNS_DIFFER, text ? DOCTOR_ERROR : DOCTOR_WARNING, f, column, what);
    mem_free(what);
    return rc;
}

/* Numbers or whole sentences where names should be, and none that is known. */
static int judge_header(struct doctor *d, size_t f)
{
    const struct doctor_schema *s = &d->schema;
    const struct doctor_file *file = &d->files[f];
    bool known = s->query != DOCTOR_NONE || s->label != DOCTOR_NONE || s->id != DOCTOR_NONE || s->item != DOCTOR_NONE ||
                 s->description_count > 0;
    int rc = 0;

    for (size_t i = 0; !known && i < file->columns; i++) {
        const char *name = s->names[file->union_of[i]];
        double number;
        if (number_parse(name, strlen(name), &number) || strlen(name) > LONG_NAME)
            return add(d, DOCTOR_NO_HEADER, DOCTOR_WARNING, f, DOCTOR_NONE, doctor_rules[DOCTOR_NO_HEADER].what);
    }
    for (size_t i = 0; rc == 0 && i < file->columns; i++) {
        size_t column = file->union_of[i];
        if (file->column_of[column] == i)
            continue;
        char *what = mem_printf("'%s' is the name of several columns of %s", s->names[column], file->name);
        bool used = is_text(d, column) || column == s->label || column == s->id || column == s->item;
        rc = what == NULL ? RECO_E_NOMEM
                          : add(d, DOCTOR_REPEATED_COLUMN, used ? DOCTOR_ERROR : DOCTOR_WARNING, f, column, what);
        mem_free(what);
    }
    return rc;
}

static int judge_file(struct doctor *d, size_t f)
{
    const struct doctor_file *file = &d->files[f];
    int rc = 0;

    if (file->rows + file->bad_rows == 0)
        rc = add(d, DOCTOR_NO_ROWS, DOCTOR_ERROR, f, DOCTOR_NONE, doctor_rules[DOCTOR_NO_ROWS].what);
    if (rc == 0)
        rc = judge_header(d, f);
    if (rc == 0)
        rc = judge_bad_rows(d, f);
    if (rc == 0 && file->facts.bom)
        rc = add(d, DOCTOR_BOM, DOCTOR_INFO, f, DOCTOR_NONE, doctor_rules[DOCTOR_BOM].what);
    if (rc == 0 && strcmp(file->facts.line_ends, "mixed") == 0)
        rc = add(d, DOCTOR_LINE_ENDS, DOCTOR_INFO, f, DOCTOR_NONE, doctor_rules[DOCTOR_LINE_ENDS].what);
    for (size_t i = 0; rc == 0 && i < d->schema.text_count; i++)
        rc = judge_lacking(d, f, d->schema.texts[i]);
    return rc < 0 ? rc : judge_lacking(d, f, d->schema.label);
}

/* ---- columns ---- */

enum column_state { COLUMN_FINE, COLUMN_EMPTY, COLUMN_CONSTANT, COLUMN_MISSING };

static enum column_state column_state(const struct doctor_column *c)
{
    if (c->rows < 2)
        return COLUMN_FINE;
    if (c->empty == c->rows)
        return COLUMN_EMPTY;
    if (!c->varies && c->empty == 0)
        return COLUMN_CONSTANT;
    return 2 * c->empty > c->rows ? COLUMN_MISSING : COLUMN_FINE;
}

/* A column that is used has its own finding; the others are named in one. */
static int judge_columns(struct doctor *d, enum column_state state, enum doctor_rule_id rule)
{
    const struct doctor_column *columns = d->lanes[0].columns;
    size_t others = 0;
    struct buf what = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < d->schema.count; i++) {
        const struct doctor_column *c = &columns[i];
        if (column_state(c) != state || i == d->schema.label)
            continue;
        if (is_text(d, i)) {
            uint64_t count = state == COLUMN_MISSING ? c->empty : c->rows;
            char *text = mem_printf("column '%s' is %s", d->schema.names[i], doctor_rules[rule].what);
            rc = text == NULL ? RECO_E_NOMEM
                              : doctor_finding_add(d, &(struct doctor_finding){.rule = rule,
                                                                               .severity = DOCTOR_WARNING,
                                                                               .column = i,
                                                                               .file = DOCTOR_NONE,
                                                                               .other_file = DOCTOR_NONE,
                                                                               .count = count,
                                                                               .of = c->rows,
                                                                               .what = text});
            mem_free(text);
            continue;
        }
        if (others++ < MENTIONED_MAX)
            rc = buf_printf(&what, "%s'%s'", what.length > 0 ? ", " : "", d->schema.names[i]);
    }
    if (rc == 0 && others > MENTIONED_MAX)
        rc = buf_printf(&what, " and %zu more", others - MENTIONED_MAX);
    if (rc == 0 && others > 0) {
        char *text = mem_printf("%zu column%s %s %s: %s", others, others == 1 ? "" : "s", others == 1 ? "is" : "are",
                                doctor_rules[rule].what, buf_str(&what));
        rc = text == NULL ? RECO_E_NOMEM
                          : doctor_finding_add(d, &(struct doctor_finding){.rule = rule,
                                                                           .severity = DOCTOR_INFO,
                                                                           .column = DOCTOR_NONE,
                                                                           .file = DOCTOR_NONE,
                                                                           .other_file = DOCTOR_NONE,
                                                                           .count = others,
                                                                           .of = d->schema.count,
                                                                           .what = text});
        mem_free(text);
    }
    buf_release(&what);
    return rc;
}

/* Texts whose script writes no blanks between words are not ids. */
static uint64_t spaceless_texts(const struct doctor *d, size_t text)
{
    static const char *const names[] = {"han", "kana", "thai", "lao", "khmer", "myanmar", "tibetan", "other"};
    const uint64_t *scripts = &d->lanes[0].scripts[text * script_count()];
    uint64_t count = 0;

    for (size_t i = 0; i < script_count(); i++) {
        for (size_t n = 0; n < sizeof names / sizeof *names; n++)
            count += strcmp(script_name(i), names[n]) == 0 ? scripts[i] : 0;
    }
    return count;
}

static int judge_ids_as_text(struct doctor *d)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < d->schema.text_count; i++) {
        size_t column = d->schema.texts[i];
        const struct doctor_column *c = &d->lanes[0].columns[column];
        uint64_t filled = c->rows - c->empty;
        double distinct = doctor_distinct_estimate(&d->registers[column * DOCTOR_REGISTERS]);
        bool numbers = c->numbers * 100 >= filled * 95;
        bool ids = c->blanks * 100 <= filled && distinct >= 0.95 * (double)filled &&
                   spaceless_texts(d, i) * 100 <= filled * 5 &&
                   doctor_lengths_quantile(&d->lanes[0].characters[i], 0.9) <= 64;
        if (filled < SMALL_SAMPLE || column == d->schema.query || !(numbers || ids))
            continue;
        char *what =
            mem_printf("column '%s' holds %s, not words", d->schema.names[column], numbers ? "numbers" : "ids");
        rc = what == NULL ? RECO_E_NOMEM : add(d, DOCTOR_ID_AS_TEXT, DOCTOR_WARNING, DOCTOR_NONE, column, what);
        mem_free(what);
    }
    return rc;
}

/* ---- texts ---- */

static uint64_t rows_with(const struct doctor *d, size_t column)
{
    return d->lanes[0].columns[column].rows;
}

/* Repair is for files that were encoded twice as a whole: not for a few texts that came in so. */
static void judge_mojibake(const struct doctor *d, struct doctor_finding *f)
{
    if (2 * d->lanes[0].mojibake_rows > d->lanes[0].wide_rows) {
        f->severity = DOCTOR_ERROR;
        return;
    }
    f->no_option = true;
    f->mend = "most of the file is well encoded, so --repair_encoding leaves it: these texts came in damaged";
}

static int judge_tallied(struct doctor *d, enum doctor_rule_id rule)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < d->schema.count; i++) {
        const struct doctor_tally *tally = doctor_tally_get(&d->tallies, rule, 1 + i);
        if (tally == NULL || tally->count == 0)
            continue;
        struct doctor_finding f = {.rule = rule,
                                   .severity = doctor_rules[rule].severity,
                                   .column = i,
                                   .file = DOCTOR_NONE,
                                   .other_file = DOCTOR_NONE,
                                   .count = tally->count,
                                   .of = rows_with(d, i),
                                   .tally = tally};
        if (rule == DOCTOR_MOJIBAKE)
            judge_mojibake(d, &f);
        if (rule == DOCTOR_EMPTY_QUERY && tally->count > 1 && tally->count * 1000 > f.of)
            f.severity = DOCTOR_ERROR;
        if (rule == DOCTOR_EMPTY_QUERY && d->schema.event_log)
            f.severity = DOCTOR_INFO;
        if (rule == DOCTOR_INVALID_UTF8 && tally->count * 10 >= d->lanes[0].wide_rows * 9) {
            f.mend = "the file is in another encoding: --encoding windows-1252, as long as it is a western one";
            f.option = "encoding";
            f.value = "windows-1252";
        }
        rc = doctor_finding_add(d, &f);
    }
    return rc;
}

static int judge_scripts(struct doctor *d)
{
    int rc = 0;

    for (size_t t = 0; rc == 0 && t < d->schema.text_count; t++) {
        const uint64_t *counts = &d->lanes[0].scripts[t * script_count()];
        uint64_t all = 0;
        size_t first = 0, second = 0; /* 0 is no script */
        for (size_t i = 1; i < script_count(); i++) {
            all += counts[i];
            if (first == 0 || counts[i] > counts[first]) {
                second = first;
                first = i;
            } else if (second == 0 || counts[i] > counts[second]) {
                second = i;
            }
        }
        if (second == 0 || counts[second] * 20 < all || all < SMALL_SAMPLE)
            continue;
        char *what = mem_printf("%llu of %llu texts of '%s' are mainly %s, most are %s",
                                (unsigned long long)counts[second], (unsigned long long)all,
                                d->schema.names[d->schema.texts[t]], script_name(second), script_name(first));
        rc = what == NULL ? RECO_E_NOMEM
                          : doctor_finding_add(d, &(struct doctor_finding){.rule = DOCTOR_MIXED_SCRIPTS,
                                                                           .severity = DOCTOR_INFO,
                                                                           .column = d->schema.texts[t],
                                                                           .file = DOCTOR_NONE,
                                                                           .other_file = DOCTOR_NONE,
                                                                           .count = counts[second],
                                                                           .of = all,
                                                                           .what = what});
        mem_free(what);
    }
    return rc;
}

static int judge_tokens(struct doctor *d)
{
    const struct doctor_lane *lane = &d->lanes[0];
    uint64_t rows = doctor_rows(d);
    int rc = 0;

    for (size_t t = 0; rc == 0 && d->wp != NULL && t < d->schema.text_count; t++) {
        uint64_t unknown = lane->unknown_tokens[t], all = lane->all_tokens[t];
        if (unknown * 100 < all || all == 0)
            continue;
        char *what = mem_printf("%.1f %% of the tokens of '%s' are [UNK]", 100.0 * (double)unknown / (double)all,
                                d->schema.names[d->schema.texts[t]]);
        rc = what == NULL ? RECO_E_NOMEM
                          : doctor_finding_add(d, &(struct doctor_finding){
                                                      .rule = DOCTOR_UNKNOWN_TOKENS,
                                                      .severity = unknown * 5 > all ? DOCTOR_ERROR : DOCTOR_WARNING,
                                                      .column = d->schema.texts[t],
                                                      .file = DOCTOR_NONE,
                                                      .other_file = DOCTOR_NONE,
                                                      .count = unknown,
                                                      .of = all,
                                                      .what = what});
        mem_free(what);
    }
    if (rc == 0 && d->wp != NULL && d->limit_count > 0 && lane->cuts[d->limit_count - 1].rows * 20 > rows) {
        char *what = mem_printf("%llu of %llu rows are longer than %lld tokens",
                                (unsigned long long)lane->cuts[d->limit_count - 1].rows, (unsigned long long)rows,
                                (long long)d->limits[d->limit_count - 1]);
        rc = what == NULL ? RECO_E_NOMEM
                          : doctor_finding_add(d, &(struct doctor_finding){.rule = DOCTOR_CUT,
                                                                           .severity = DOCTOR_INFO,
                                                                           .column = DOCTOR_NONE,
                                                                           .file = DOCTOR_NONE,
                                                                           .other_file = DOCTOR_NONE,
                                                                           .count = lane->cuts[d->limit_count - 1].rows,
                                                                           .of = rows,
                                                                           .what = what});
        mem_free(what);
    }
    return rc;
}

int doctor_judge(struct doctor *d, const struct doctor_whole *w)
{
    static const enum doctor_rule_id encodings[] = {DOCTOR_INVALID_UTF8, DOCTOR_MOJIBAKE, DOCTOR_REPLACEMENT};
    static const enum doctor_rule_id texts[] = {
        DOCTOR_EMPTY_QUERY, DOCTOR_EMPTY_DESCRIPTION, DOCTOR_HTML,  DOCTOR_SCRIPT, DOCTOR_ENTITIES, DOCTOR_CONTROL,
        DOCTOR_BLANKS,      DOCTOR_REPEATED_TEXT,     DOCTOR_EMAIL, DOCTOR_PHONE,  DOCTOR_CARD};
    int rc = 0;

    for (size_t f = 0; rc == 0 && f < d->file_count; f++)
        rc = judge_file(d, f);
    for (size_t i = 0; rc == 0 && i < sizeof encodings / sizeof *encodings; i++)
        rc = judge_tallied(d, encodings[i]);
    if (rc == 0 && d->schema.event_log)
        rc = add(d, DOCTOR_EVENT_LOG, DOCTOR_INFO, DOCTOR_NONE, DOCTOR_NONE, doctor_rules[DOCTOR_EVENT_LOG].what);
    if (rc == 0 && d->schema.query == DOCTOR_NONE)
        rc = add(d, DOCTOR_NO_QUERY, DOCTOR_INFO, DOCTOR_NONE, DOCTOR_NONE, doctor_rules[DOCTOR_NO_QUERY].what);
    if (rc == 0 && d->schema.query != DOCTOR_NONE && d->schema.description_count == 0 && d->schema.item != DOCTOR_NONE)
        rc = add(d, DOCTOR_NO_DESCRIPTION, DOCTOR_WARNING, DOCTOR_NONE, DOCTOR_NONE,
                 doctor_rules[DOCTOR_NO_DESCRIPTION].what);
    if (rc == 0 && d->schema.label == DOCTOR_NONE)
        rc = add(d, DOCTOR_NO_LABEL, DOCTOR_INFO, DOCTOR_NONE, DOCTOR_NONE, doctor_rules[DOCTOR_NO_LABEL].what);
    if (rc == 0 && d->schema.label != DOCTOR_NONE)
        rc = doctor_judge_labels(d);
    if (rc == 0)
        rc = doctor_judge_whole(d, w);
    if (rc == 0)
        rc = judge_columns(d, COLUMN_EMPTY, DOCTOR_EMPTY_COLUMN);
    if (rc == 0)
        rc = judge_columns(d, COLUMN_CONSTANT, DOCTOR_CONSTANT_COLUMN);
    if (rc == 0)
        rc = judge_columns(d, COLUMN_MISSING, DOCTOR_MISSING_VALUES);
    if (rc == 0)
        rc = judge_ids_as_text(d);
    for (size_t i = 0; rc == 0 && i < sizeof texts / sizeof *texts; i++)
        rc = judge_tallied(d, texts[i]);
    if (rc == 0)
        rc = judge_scripts(d);
    return rc < 0 ? rc : judge_tokens(d);
}
