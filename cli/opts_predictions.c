#include "cli/opts_predictions.h"

static const char *const of_table[] = {"input_format", "delimiter",       "quote",       "columns",
                                       "encoding",     "repair_encoding", "trim_blanks", "max_field_bytes"};
static const char *const of_labels[] = {"labels", "grades", "positive_label", "regression"};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Is one of the options given on the command line? Its name, else NULL. */
static const char *given(const struct cmd_ctx *ctx, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (opt_origin_of(ctx->set, names[i]) == OPT_ORIGIN_FLAG) {
            return names[i];
        }
    }
    return NULL;
}

void predictions_source_name(struct predictions_source *out, const struct cmd_ctx *ctx, enum predictions_column column,
                             const char *name)
{
    out->columns[column].name = name;
    out->columns[column].asked = name && given(ctx, &predictions_column_options[column], 1);
}

void predictions_source_fill(struct predictions_source *out, const struct cmd_ctx *ctx,
                             const struct predictions_source_options *options)
{
    bool is_table = given(ctx, of_table, COUNT(of_table));
    *out = (struct predictions_source){
        .table = is_table ? &options->table : NULL,
        .is_table = is_table,
        .probabilities = (const char *const *)options->own.probability_columns.items,
        .probability_count = options->own.probability_columns.count,
        .logits = options->own.logits,
        .labels = (const char *const *)options->labels.items,
        .label_count = options->labels.count,
        .grades = (const char *const *)options->grades.items,
        .grade_count = options->grades.count,
        .positive_label = options->positive_label,
        .regression = options->regression,
        .labels_option = given(ctx, of_labels, COUNT(of_labels)),
    };
    predictions_source_name(out, ctx, PREDICTIONS_ROW_ID, options->id_column);
    predictions_source_name(out, ctx, PREDICTIONS_QUERY_ID, options->query_id_column);
    predictions_source_name(out, ctx, PREDICTIONS_ITEM_ID, options->item_id_column);
    predictions_source_name(out, ctx, PREDICTIONS_LABEL, options->label_column);
    predictions_source_name(out, ctx, PREDICTIONS_PREDICTED, options->own.predicted_column);
    predictions_source_name(out, ctx, PREDICTIONS_SCORE, options->own.score_column);
}

const char *predictions_source_flag(const struct cmd_ctx *ctx)
{
    static const char *const of_columns[] = {"label_column",        "predicted_column", "score_column",
                                             "probability_columns", "logits",           "id_column",
                                             "query_id_column",     "item_id_column"};
    const char *name = given(ctx, of_columns, COUNT(of_columns));
    name = name ? name : given(ctx, of_labels, COUNT(of_labels));
    return name ? name : given(ctx, of_table, COUNT(of_table));
}

int predictions_source_open(struct predictions **out, const char *path, const struct cmd_ctx *ctx,
                            const struct predictions_source_options *options)
{
    struct predictions_options how;
    struct predictions_source source;
    predictions_options_init(&how);
    predictions_source_fill(&source, ctx, options);
    how.source = &source;
    return predictions_open(out, path, &how);
}
