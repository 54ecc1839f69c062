#include "train/devset.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "data/text_index.h"
#include "train/feed.h"

struct devset {
    const struct dataset_split *split;
    size_t rows;
    struct predictions p;  /* arrays owned here, ids in store */
    double *probabilities; /* [classes] scratch */
    struct text_store store;
    double loss_sum, weight_sum;
};

/* What is watched during training; others by name. */
static const char *const class_metrics[] = {"accuracy", "f1_macro"};
static const char *const graded_metrics[] = {"ndcg@10"};
static const char *const binary_metrics[] = {"auc"};
static const char *const regression_metrics[] = {"pearson", "rmse"};

static const char *field(const char **at, const char *end, size_t *length)
{
    const char *start = *at;
    const char *tab = memchr(start, '\t', (size_t)(end - start));
    const char *stop = tab != NULL ? tab : end;
    *length = (size_t)(stop - start);
    *at = tab != NULL ? tab + 1 : end;
    return start;
}

static int read_ids(struct devset *dev)
{
    struct predictions *p = &dev->p;
    struct text_index queries = {0}, item_index = {0};
    bool items = false;
    int rc = 0;
    for (size_t row = 0; row < dev->rows && rc == 0; row++) {
        size_t length, field_length;
        const char *at = dataset_columns(dev->split, row, &length), *end = at + length;
        const char *text = field(&at, end, &field_length);
        p->row_ids[row] = text_store_add(&dev->store, text, field_length);
        text = field(&at, end, &field_length);
        uint32_t next = (uint32_t)p->query_count, number;
        rc = text_index_enter(&queries, p->query_ids, next, text, field_length, &number);
        if (rc == 0 && number == TEXT_INDEX_NONE) {
            number = next;
            p->query_ids[p->query_count++] = text_store_add(&dev->store, text, field_length);
        }
        if (rc != 0 || p->row_ids[row] == NULL || p->query_ids[number] == NULL) {
            rc = rc != 0 ? rc : err_nomem();
            break;
        }
        p->query[row] = number;
        text = field(&at, end, &field_length);
        next = (uint32_t)p->item_count;
        rc = text_index_enter(&item_index, p->item_ids, next, text, field_length, &number);
        if (rc == 0 && number == TEXT_INDEX_NONE) {
            number = next;
            p->item_ids[p->item_count++] = text_store_add(&dev->store, text, field_length);
        }
        if (rc == 0 && p->item_ids[number] == NULL)
            rc = err_nomem();
        p->item[row] = number;
        items = items || field_length > 0;
    }
    if (!items) {
        mem_free(p->item);
        mem_free(p->item_ids);
        p->item = NULL;
        p->item_ids = NULL;
        p->item_count = 0;
    }
    text_index_release(&queries);
    text_index_release(&item_index);
    return rc;
}

int devset_new(struct devset **out, const struct dataset_split *split, size_t rows, const struct label_map *labels)
{
    *out = NULL;
    struct devset *dev = mem_calloc(1, sizeof *dev);
    if (dev == NULL)
        return err_nomem();
    dev->split = split;
    dev->rows = rows > 0 && rows < dataset_rows(split) ? rows : dataset_rows(split);
    size_t n = dev->rows + 1;
    struct predictions *p = &dev->p;
    p->rows = dev->rows;
    int rc = label_map_copy(&p->labels, labels);
    p->query = mem_calloc(n, sizeof *p->query);
    p->query_ids = mem_calloc(n, sizeof *p->query_ids);
    p->row_ids = mem_calloc(n, sizeof *p->row_ids);
    p->item = mem_calloc(n, sizeof *p->item);
    p->item_ids = mem_calloc(n, sizeof *p->item_ids);
    p->score = mem_calloc(n, sizeof *p->score);
    bool memory = p->query != NULL && p->query_ids != NULL && p->row_ids != NULL && p->item != NULL &&
                  p->item_ids != NULL && p->score != NULL;
    if (labels->task == LABEL_TASK_REGRESSION) {
        p->target = mem_calloc(n, sizeof *p->target);
        p->value = mem_calloc(n, sizeof *p->value);
        memory = memory && p->target != NULL && p->value != NULL;
    } else {
        p->label = mem_calloc(n, sizeof *p->label);
        p->predicted = mem_calloc(n, sizeof *p->predicted);
        p->p = mem_calloc(n * (size_t)labels->count, sizeof *p->p);
        dev->probabilities = mem_calloc((size_t)labels->count, sizeof *dev->probabilities);
        memory = memory && p->label != NULL && p->predicted != NULL && p->p != NULL && dev->probabilities != NULL;
    }
    if (rc == 0)
        rc = memory ? read_ids(dev) : err_nomem();
    if (rc != 0) {
        devset_free(dev);
        return rc;
    }
    *out = dev;
    return 0;
}

void devset_free(struct devset *dev)
{
    if (dev == NULL)
        return;
    struct predictions *p = &dev->p;
    label_map_release(&p->labels);
    mem_free(p->query);
    mem_free(p->query_ids);
    mem_free(p->row_ids);
    mem_free(p->item);
    mem_free(p->item_ids);
    mem_free(p->score);
    mem_free(p->target);
    mem_free(p->value);
    mem_free(p->label);
    mem_free(p->predicted);
    mem_free(p->p);
    mem_free(dev->probabilities);
    text_store_release(&dev->store);
    mem_free(dev);
}

static int take_row(void *arg, const struct infer_row *row)
{
    struct devset *dev = arg;
    struct predictions *p = &dev->p;
    const struct label_map *labels = &p->labels;
    const size_t i = row->row, classes = (size_t)labels->count;
    double value = 0;
    infer_probabilities(labels, row->logits, dev->probabilities, &value);
    p->score[i] = value;
    if (labels->task == LABEL_TASK_REGRESSION) {
        p->target[i] = dataset_target(dev->split, i);
        p->value[i] = value;
    } else {
        p->label[i] = (int32_t)row->label;
        p->predicted[i] = infer_predicted(labels, dev->probabilities);
        for (size_t k = 0; k < classes; k++)
            p->p[i * classes + k] = dev->probabilities[k];
    }
    double loss = feed_row_loss(row->logits, labels, row->label, dataset_target(dev->split, i));
    if (!isnan(loss)) {
        dev->loss_sum += row->weight * loss;
        dev->weight_sum += row->weight;
    }
    return 0;
}

static void add_name(const char **names, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(names[i], name) == 0)
            return;
    names[(*count)++] = name;
}

static size_t choose_metrics(const struct label_map *labels, const char *metric, const char **names)
{
    size_t count = 0;
#define ADD_ALL(list)                                                                                                  \
    for (size_t i = 0; i < sizeof(list) / sizeof(list)[0]; i++)                                                        \
    add_name(names, &count, (list)[i])
    if (labels->task == LABEL_TASK_REGRESSION) {
        ADD_ALL(regression_metrics);
    } else {
        ADD_ALL(class_metrics);
        if (labels->count == 2)
            ADD_ALL(binary_metrics);
        if (labels->graded)
            ADD_ALL(graded_metrics);
    }
#undef ADD_ALL
    if (metric != NULL && strcmp(metric, "loss") != 0)
        add_name(names, &count, metric);
    return count;
}

/* Predictions that vary as much as any: with them a metric is undefined only for what is in the data. */
static void fill_varied(struct devset *dev)
{
    struct predictions *p = &dev->p;
    const size_t classes = (size_t)p->labels.count;
    for (size_t i = 0; i < dev->rows; i++) {
        p->score[i] = (double)i;
        if (p->value != NULL) {
            p->value[i] = (double)i;
            p->target[i] = dataset_target(dev->split, i);
            continue;
        }
        p->label[i] = dataset_label(dev->split, i);
        p->predicted[i] = (int32_t)(i % classes);
        for (size_t k = 0; k < classes; k++)
            p->p[i * classes + k] = k == i % classes ? 0.5f : 0.5f / (float)(classes - 1);
    }
}

int devset_check(struct devset *dev, const char *metric)
{
    struct eval_options eval = {.metrics = &metric, .metric_count = 1, .relevance_level = NAN};
    struct eval_report *report = NULL;
    const char *reason = NULL;
    double value;
    int rc;
    fill_varied(dev);
    if (strcmp(metric, "loss") == 0) {
        double weight = 0;
        for (size_t i = 0; i < dev->rows; i++)
            if (dev->p.value != NULL ? !isnan(dev->p.target[i]) : dev->p.label[i] >= 0)
                weight += dataset_weight(dev->split, i);
        rc = weight > 0 ? 0 : err_set(RECO_E_DATA, "no row of the validation split has a label and a weight above 0");
    } else {
        rc = eval_run(&report, &dev->p, &eval);
        if (rc == 0 && !eval_report_get(report, metric, &value, &reason))
            rc = err_set(RECO_E_DATA, "%s", reason != NULL ? reason : "it was not computed");
    }
    eval_report_free(report);
    return rc != 0 ? err_prepend(rc, "cannot choose the best model by '%s'", metric) : 0;
}

int devset_run(struct devset *dev, const struct bert *bert, const struct infer_options *options, const char *metric,
               struct devset_result *result)
{
    const char *names[DEVSET_MAX_VALUES];
    struct eval_report *report = NULL;
    dev->loss_sum = dev->weight_sum = 0;
    int rc = infer_run(bert, dev->split, dev->rows, options, take_row, dev);
    if (rc != 0)
        return rc;
    memset(result, 0, sizeof *result);
    struct devset_value *loss = &result->values[result->count++];
    loss->name = "loss";
    loss->value = dev->weight_sum > 0 ? dev->loss_sum / dev->weight_sum : NAN;
    if (dev->weight_sum <= 0)
        snprintf(loss->reason, sizeof loss->reason, "no row has a label and a weight above 0");
    size_t count = choose_metrics(&dev->p.labels, metric, names);
    struct eval_options eval = {.metrics = names, .metric_count = count, .relevance_level = NAN};
    rc = eval_run(&report, &dev->p, &eval);
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct devset_value *v = &result->values[result->count++];
        const char *reason = NULL;
        v->name = names[i];
        v->value = NAN;
        if (!eval_report_get(report, names[i], &v->value, &reason)) {
            v->value = NAN;
            snprintf(v->reason, sizeof v->reason, "%s", reason != NULL ? reason : "it was not computed");
        }
    }
    eval_report_free(report);
    return rc;
}
