#ifndef RECO_DATA_TIMESTAMP_H
#define RECO_DATA_TIMESTAMP_H

/*
 * Times in data files: whole microseconds since 1970-01-01T00:00:00Z, finer digits cut (towards the past).
 *
 * Read are decimal numbers ("1717527762129", "881250949", "12.5") and ISO 8601 / RFC 3339 ("2024-12-10T00:01:29.378Z",
 * "2019-11-24 00:01:03.979311+00:00", "2024-12-10", "20241210T000129Z", a comma before the fraction, "UTC" for "Z";
 * without an offset: UTC). A number's unit is told by its size: seconds below 1e11, milliseconds below 1e14,
 * microseconds below 1e17, nanoseconds from there on; the same for negative ones. A number that counts steps (1, 2,
 * 3) is then read as seconds, which keeps its order.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

/* The whole text; false leaves *us untouched. text need not be terminated. */
bool timestamp_parse(const char *text, size_t length, int64_t *us);
/* As "2024-12-10T00:01:29.378Z", with 0, 3 or 6 digits of the second as needed; appended. */
int timestamp_add(struct buf *b, int64_t us) RECO_MUST_CHECK;

/* "30m", "1.5h", "90" (seconds), "500ms", "7d"; at least 0. RECO_E_USAGE otherwise. */
int duration_parse(const char *text, int64_t *us) RECO_MUST_CHECK;

#endif
