#ifndef RECO_DATA_MASK_H
#define RECO_DATA_MASK_H

/*
 * Personal data in texts: e-mail addresses, payment card numbers, telephone numbers. Made for product texts, which are
 * full of other numbers: what is masked is what is written like one of these and cannot well be anything else.
 *
 *   email  local@domain.tld, also with "&#64;" or "%40" for the at sign.
 *   card   13 to 19 digits with a card issuer's prefix and length that pass the Luhn check (ISO/IEC 7812-1), in one
 *          piece or in the groups of a card; in one piece not when they also pass the check of a GTIN (EAN, UPC).
 *   phone  "+" and a country code, 8 to 15 digits in all; national forms with separators of North America, China,
 * Japan, France, the United Kingdom, Germany, Indonesia and Brazil; 7 to 15 digits in any form behind a word like
 *          "tel", "call" or "whatsapp". Not behind "ISBN", "item number", "model" and the like.
 *
 * A found one becomes "[email]", "[card]" or "[phone]": three tokens of any BERT vocabulary, none of them a special
 * token, and no tag that a later HTML cleaning would take away.
 */

#include <stdbool.h>
#include <stddef.h>

enum mask_kind { MASK_EMAIL, MASK_CARD, MASK_PHONE, MASK_KINDS };

struct mask_span {
    size_t start, length; /* bytes */
};

/* The first one that starts at from or later; false: none. Does not allocate. */
bool mask_find(enum mask_kind kind, const char *text, size_t length, size_t from, struct mask_span *span);
const char *mask_text(enum mask_kind kind); /* "[email]" */

#endif
