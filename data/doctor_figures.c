#include "core/mem.h"
#include "data/doctor_internal.h"

int doctor_lane_init(struct doctor_lane *lane, const struct doctor *d, size_t slots)
{
    size_t texts = d->schema.text_count + 1; /* never an empty array */
    int rc = doctor_tallies_init(&lane->tallies, slots);

    lane->columns = mem_calloc(d->schema.count + 1, sizeof *lane->columns);
    lane->characters = mem_calloc(texts, sizeof *lane->characters);
    lane->tokens = mem_calloc(texts, sizeof *lane->tokens);
    lane->pair_tokens = mem_calloc(1, sizeof *lane->pair_tokens);
    lane->all_tokens = mem_calloc(texts, sizeof *lane->all_tokens);
    lane->unknown_tokens = mem_calloc(texts, sizeof *lane->unknown_tokens);
    lane->row_tokens = mem_calloc(texts, sizeof *lane->row_tokens);
    lane->scripts = mem_calloc(texts * script_count(), sizeof *lane->scripts);
    lane->languages = mem_calloc(texts * language_count(), sizeof *lane->languages);
    if (rc < 0 || lane->columns == NULL || lane->characters == NULL || lane->tokens == NULL ||
        lane->pair_tokens == NULL || lane->all_tokens == NULL || lane->unknown_tokens == NULL ||
        lane->row_tokens == NULL || lane->scripts == NULL || lane->languages == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < d->limit_count; i++) {
        lane->cuts[i].text_rows = mem_calloc(texts, sizeof *lane->cuts[i].text_rows);
        lane->cuts[i].text_tokens = mem_calloc(texts, sizeof *lane->cuts[i].text_tokens);
        if (lane->cuts[i].text_rows == NULL || lane->cuts[i].text_tokens == NULL)
            return RECO_E_NOMEM;
    }
    rc = clean_lane_new(&lane->finder, d->masker);
    return rc < 0 || d->wp == NULL ? rc : wordpiece_scratch_new(&lane->scratch, d->wp);
}

void doctor_lane_release(struct doctor_lane *lane, const struct doctor *d)
{
    doctor_tallies_release(&lane->tallies);
    mem_free(lane->columns);
    mem_free(lane->characters);
    mem_free(lane->tokens);
    mem_free(lane->pair_tokens);
    mem_free(lane->all_tokens);
    mem_free(lane->unknown_tokens);
    mem_free(lane->row_tokens);
    mem_free(lane->scripts);
    mem_free(lane->languages);
    for (size_t i = 0; i < d->limit_count; i++) {
        mem_free(lane->cuts[i].text_rows);
        mem_free(lane->cuts[i].text_tokens);
    }
    clean_lane_free(lane->finder);
    wordpiece_scratch_free(lane->scratch);
    wordpiece_ids_release(&lane->ids);
    buf_release(&lane->folded);
    buf_release(&lane->excerpt);
}

static void merge_column(struct doctor_column *into, const struct doctor_column *from)
{
    into->rows += from->rows;
    into->empty += from->empty;
    into->numbers += from->numbers;
    into->blanks += from->blanks;
    into->varies = into->varies || from->varies ||
                   (into->first_hash != 0 && from->first_hash != 0 && into->first_hash != from->first_hash);
    if (into->first_hash == 0)
        into->first_hash = from->first_hash;
}

static void merge_cut(struct doctor_cut *into, const struct doctor_cut *from, size_t texts)
{
    into->rows += from->rows;
    into->tokens += from->tokens;
    for (size_t t = 0; t < texts; t++) {
        into->text_rows[t] += from->text_rows[t];
        into->text_tokens[t] += from->text_tokens[t];
    }
}

void doctor_lane_merge(struct doctor_lane *into, const struct doctor_lane *from, const struct doctor *d)
{
    for (size_t i = 0; i < d->schema.count; i++)
        merge_column(&into->columns[i], &from->columns[i]);
    for (size_t t = 0; t < d->schema.text_count; t++) {
        doctor_lengths_merge(&into->characters[t], &from->characters[t]);
        doctor_lengths_merge(&into->tokens[t], &from->tokens[t]);
        into->all_tokens[t] += from->all_tokens[t];
        into->unknown_tokens[t] += from->unknown_tokens[t];
    }
    for (size_t i = 0; i < d->schema.text_count * script_count(); i++)
        into->scripts[i] += from->scripts[i];
    for (size_t i = 0; i < d->schema.text_count * language_count(); i++)
        into->languages[i] += from->languages[i];
    doctor_lengths_merge(into->pair_tokens, from->pair_tokens);
    for (size_t i = 0; i < d->limit_count; i++)
        merge_cut(&into->cuts[i], &from->cuts[i], d->schema.text_count);
    into->wide_rows += from->wide_rows;
    into->mojibake_rows += from->mojibake_rows;
}
