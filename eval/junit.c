/* Gates as JUnit XML, the form that CI servers read. */

#include <string.h>

#include "eval/evaluate.h"
#include "eval/page.h"
#include "eval/try.h"

int eval_gates_junit(const char *const *gates, const char *const *lines, const bool *passed, size_t count,
                     struct buf *b)
{
    size_t failures = 0;
    for (size_t i = 0; i < count; i++) {
        failures += !passed[i];
    }
    TRY(buf_printf(b,
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
                   "  <testsuite name=\"reco eval\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\">\n",
                   count, failures));
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
