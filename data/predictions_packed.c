#include "core/mem.h"
#include "data/predictions_reader.h"

const double packed_power[PACKED_POWER_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static void put_code(struct packed *packed, size_t at, uint32_t digits, bool negative, unsigned power)
{
    uint64_t code = digits | (uint64_t)negative << 30 | (uint64_t)power << 31;
    unsigned char *to = packed->codes + PACKED_BYTES * at;
    for (int i = 0; i < PACKED_BYTES; i++) {
        to[i] = (unsigned char)(code >> (8 * i));
    }
}

/* is_short: the number is digits / 10^-power, digits below 2^53. */
int packed_put(struct packed *packed, size_t at, uint64_t digits, long power, bool negative, bool is_short,
               double value)
{
    while (is_short && power > 0 && digits <= PACKED_DIGITS_MAX / 10) {
        digits *= 10;
        power--;
    }
    while (is_short && power < 0 && digits > PACKED_DIGITS_MAX && digits % 10 == 0) {
        digits /= 10;
        power++;
    }
    if (is_short && power <= 0 && power >= -PACKED_POWER_MAX && digits <= PACKED_DIGITS_MAX) {
        put_code(packed, at, (uint32_t)digits, negative, (unsigned)-power);
        return 0;
    }
    int rc = packed->rare_count > 0x3fffffff ? err_set(RECO_E_DATA, "over 2^30 numbers of more than nine digits")
                                             : mem_grow((void **)&packed->rare, &packed->rare_capacity,
                                                        packed->rare_count + 1, sizeof *packed->rare);
    if (!rc) {
        put_code(packed, at, (uint32_t)packed->rare_count, false, PACKED_RARE);
        packed->rare[packed->rare_count++] = value;
    }
    return rc;
}

void packed_release(struct packed *packed)
{
    mem_free(packed->codes);
    mem_free(packed->rare);
    *packed = (struct packed){0};
}

double predictions_derived_score(const struct predictions *p, size_t row)
{
    const struct label_map *labels = &p->labels;
    if (!predictions_has_p(p)) {
        return p->value[row];
    }
    if (!labels->graded || labels->task == LABEL_TASK_BINARY_LOGIT) {
        return predictions_p(p, row, labels->positive);
    }
    double score = 0;
    for (int c = 0; c < labels->count; c++) {
        score += predictions_p(p, row, c) * labels->grades[c];
    }
    return score;
}

static int widen(double **wide, struct packed *packed, size_t count)
{
    if (*wide || !packed->codes) {
        return 0;
    }
    *wide = mem_alloc((count + 1) * sizeof **wide);
    if (!*wide) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        (*wide)[i] = packed_get(packed, i);
    }
    packed_release(packed);
    return 0;
}

int predictions_widen(struct predictions *p)
{
    int rc = widen(&p->p, &p->packed_p, p->rows * (size_t)p->labels.count);
    if (!rc) {
        rc = widen(&p->score, &p->packed_score, p->rows);
    }
    if (rc || !p->derives_score) {
        return rc;
    }
    double *score = mem_alloc((p->rows + 1) * sizeof *score);
    if (!score) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < p->rows; row++) {
        score[row] = predictions_derived_score(p, row);
    }
    p->score = score;
    p->derives_score = false;
    return 0;
}
