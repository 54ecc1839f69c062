#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "data/join_table.h"

int join_reader_open(struct table_reader **out, const char *path, const char *file_option,
                     const struct table_options *table)
{
    struct table_options o = table != NULL ? *table : (struct table_options){.format = TABLE_FORMAT_AUTO};
    struct table_reader *reader = NULL;

    if (strcmp(path, "-") == 0)
        return err_set(RECO_E_USAGE, "--%s cannot be stdin", file_option);
    o.columns = (struct opt_list){.count = 0};
    int rc = table_reader_open(&reader, path, &o);
    if (rc == 0 && table_reader_columns(reader) == 1 && o.delimiter != NULL) {
        table_reader_close(reader);
        reader = NULL;
        o.delimiter = NULL;
        rc = table_reader_open(&reader, path, &o);
    }
    if (rc == 0)
        *out = reader;
    return rc;
}

int join_bad_rows_add(struct join_bad_rows *b, uint64_t line, const char *reason)
{
    if (b->bad++ > 0)
        return 0;
    b->first_line = line;
    return buf_add_str(&b->first, reason);
}

int join_bad_rows_check(const struct join_bad_rows *b, const char *label, const struct opt_amount *max)
{
    uint64_t allowed = (uint64_t)(max->is_frac ? max->value * (double)b->rows : max->value);

    if (max->is_frac && allowed == 0)
        allowed = 1;
    if (b->rows == 0)
        return err_set(RECO_E_DATA, "cannot use %s: it has a header and no rows", label);
    if (b->bad == b->rows || b->bad > allowed)
        return err_set(RECO_E_DATA,
                       "cannot use %s: %llu of %llu rows are bad and %llu may be (--max_bad_rows); the first is line "
                       "%llu: %s",
                       label, (unsigned long long)b->bad, (unsigned long long)b->rows, (unsigned long long)allowed,
                       (unsigned long long)b->first_line, buf_str(&b->first));
    if (b->bad > 0)
        log_warn("%s: %llu of %llu rows left out; the first is line %llu: %s", label, (unsigned long long)b->bad,
                 (unsigned long long)b->rows, (unsigned long long)b->first_line, buf_str(&b->first));
    return 0;
}
