/* Gates as JUnit XML, the form that CI servers read. */

#include <string.h>

#include "eval/page.h"
#include "eval/provenance.h"
#include "eval/report.h"
#include "eval/try.h"

static int add_property(struct buf *b, const char *key, const char *value)
{
    TRY(buf_add_str(b, "      <property name=\""));
    TRY(page_add_escaped(b, key));
    TRY(buf_add_str(b, "\" value=\""));
    TRY(page_add_escaped(b, value));
    return buf_add_str(b, "\"/>\n");
}

int eval_gates_junit(const struct eval_report *report, const char *const *gates, const char *const *lines,
                     const bool *passed, size_t count, struct buf *b)
{
    size_t failures = 0;
    for (size_t i = 0; i < count; i++) {
        failures += !passed[i];
    }
    TRY(buf_printf(b,
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
                   "  <testsuite name=\"reco eval\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\">\n",
                   count, failures));
    if (report->provenance) {
        TRY(buf_add_str(b, "    <properties>\n"));
        TRY(provenance_rows(report->provenance, add_property, b));
        TRY(buf_add_str(b, "    </properties>\n"));
    }
    for (size_t i = 0; i < count; i++) {
        TRY(buf_add_str(b, "    <testcase classname=\"reco.eval\" name=\""));
        TRY(page_add_escaped(b, gates[i]));
        TRY(buf_add_str(b, passed[i] ? "\">\n      <system-out>" : "\">\n      <failure message=\""));
        TRY(page_add_escaped(b, lines[i]));
        TRY(buf_add_str(b, passed[i] ? "</system-out>\n" : "\"/>\n"));
        TRY(buf_add_str(b, "    </testcase>\n"));
    }
    return buf_add_str(b, "  </testsuite>\n</testsuites>\n");
}
