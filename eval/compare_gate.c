#include <ctype.h>
#include <string.h>

#include "core/mem.h"
#include "eval/compare_internal.h"

/* "ndcg@10: B>A" */
struct gate {
    const char *metric; /* [metric_length] without blanks */
    size_t metric_length;
    size_t left, right; /* runs */
    bool or_equal;
};

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* "B" is 1, "27" is 26; NULL: no run. */
static const char *parse_run(const char *at, size_t *run)
{
    if (isupper((unsigned char)*at)) {
        *run = (size_t)(*at - 'A');
        return at + 1;
    }
    size_t number = 0;
    const char *start = at;
    for (; isdigit((unsigned char)*at) && number < 100000; at++) {
        number = number * 10 + (size_t)(*at - '0');
    }
    *run = number - 1;
    return at > start && number ? at : NULL;
}

static int parse(struct gate *gate, const char *text)
{
    const char *colon = strrchr(text, ':');
    *gate = (struct gate){.metric = skip_blanks(text)};
    gate->metric_length = colon && colon > gate->metric ? (size_t)(colon - gate->metric) : 0;
    while (gate->metric_length && isspace((unsigned char)gate->metric[gate->metric_length - 1])) {
        gate->metric_length--;
    }
    const char *at = gate->metric_length ? parse_run(skip_blanks(colon + 1), &gate->left) : NULL;
    at = at ? skip_blanks(at) : NULL;
    if (at && *at == '>') {
        gate->or_equal = at[1] == '=';
        at = parse_run(skip_blanks(at + 1 + gate->or_equal), &gate->right);
        if (at && !*skip_blanks(at) && gate->left != gate->right) {
            return 0;
        }
    }
    return err_set(RECO_E_USAGE, "gate '%s' is not of the form 'metric: B>A' or 'metric: B>=A'", text);
}

char *compare_gate_metric(const char *text)
{
    struct gate gate;
    if (parse(&gate, text)) {
        return NULL;
    }
    bool alias = gate.metric_length == 4 && !strncmp(gate.metric, "loss", 4);
    return alias ? mem_strdup("log_loss") : mem_strndup(gate.metric, gate.metric_length);
}

int compare_gate_check(const char *text)
{
    struct gate gate;
    int rc = parse(&gate, text);
    if (rc) {
        return rc;
    }
    char *name = compare_gate_metric(text);
    rc = name ? eval_metric_check(name) : RECO_E_NOMEM;
    mem_free(name);
    return rc;
}

static const struct compare_figure *find(const struct compare *c, const struct gate *gate, const char *metric,
                                         int *sign)
{
    for (size_t i = 0; i < c->pair_count; i++) {
        const struct compare_pair *pair = &c->pairs[i];
        bool straight = pair->a == gate->right && pair->b == gate->left;
        if (!straight && !(pair->a == gate->left && pair->b == gate->right)) {
            continue;
        }
        *sign = straight ? 1 : -1;
        for (size_t f = 0; f < c->figure_count; f++) {
            if (!strcmp(pair->figures[f].metric, metric)) {
                return &pair->figures[f];
            }
        }
    }
    return NULL;
}

/* There is no such comparison: why? */
static int not_compared(const struct compare *c, const struct gate *gate, const char *text, const char *metric)
{
    size_t last = c->run_count - 1;
    if (gate->left > last || gate->right > last) {
        return err_set(RECO_E_USAGE, "gate '%s': there are %zu files, the last of them is %s", text, c->run_count,
                       compare_letter(last));
    }
    for (size_t f = 0; f < c->figure_count; f++) {
        if (!strcmp(c->pairs[0].figures[f].metric, metric)) {
            return err_set(RECO_E_USAGE, "gate '%s': these two files are compared with --all_pairs only", text);
        }
    }
    return err_set(RECO_E_USAGE, "gate '%s': the files are not compared by '%s'", text, metric);
}

int compare_gate(const struct compare *c, const char *text, struct buf *b)
{
    struct gate gate;
    int sign = 1;
    int rc = parse(&gate, text);
    if (rc) {
        return rc;
    }
    char *metric = compare_gate_metric(text);
    const struct compare_figure *f = metric ? find(c, &gate, metric, &sign) : NULL;
    rc = f ? 0 : metric ? not_compared(c, &gate, text, metric) : RECO_E_NOMEM;
    mem_free(metric);
    if (rc) {
        return rc;
    }
    int verdict = sign * compare_verdict(c, f);
    bool passed = !f->reason && !f->no_test && (gate.or_equal ? verdict >= 0 : verdict > 0);
    if (f->reason || f->no_test) {
        rc = buf_printf(b, "FAIL %s undefined: %s\n", text, f->reason ? f->reason : f->no_test);
    } else {
        rc = buf_printf(b, "%s %s difference %+.6g, p %.4g\n", passed ? "pass" : "FAIL", text, sign * f->difference,
                        f->p_holm);
    }
    return rc ? rc : passed ? 0 : err_set(RECO_E_GATE, "gate '%s' is not met", text);
}
