#ifndef RECO_DATA_SCRIPT_DETECT_H
#define RECO_DATA_SCRIPT_DETECT_H

/*
 * What a text is written in: the script of most of its letters (Unicode property Script), and a guess at the language.
 *
 * The guess is for counting over many texts ("de 12 %"), not for judging one: for Latin script it looks for small
 * frequent words and letters of 18 languages and says "unknown" where few are found or two languages are close, as in
 * most titles of products; other scripts give the language that is mostly written in them. Neither allocates.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCRIPTS_MAX = 40, LANGUAGES_MAX = 40 }; /* room in arrays by number */

/* Scripts are numbers below script_count(); 0 is "none", a text without letters. The last is "other". */
size_t script_count(void);
const char *script_name(size_t script); /* "latin", "han", "kana" */
size_t script_of(uint32_t code_point);
bool script_is_spaceless(size_t script); /* writes no blanks between words: Chinese, Thai; also "other" */
/*
 * The script of most letters, of the first thousand bytes. Japanese is a mixture: among Han, kana win from a tenth on.
 */
size_t script_detect(const char *text, size_t length);

/* Languages are numbers below language_count(); 0 is "unknown". Names are ISO 639-1: "en". */
size_t language_count(void);
const char *language_name(size_t language);
size_t language_guess(const char *text, size_t length);

#endif
