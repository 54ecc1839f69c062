#ifndef RECO_DATA_DOCTOR_SCRIPT_H
#define RECO_DATA_DOCTOR_SCRIPT_H

/*
 * The writing system of a text: that of most of its letters.     Source of the ranges: Unicode's Blocks.txt; a block
 * counts whole. Japanese is told from Chinese by a tenth of kana. Private to doctor*.c.
 */

#include <stddef.h>

enum doctor_script {
    DOCTOR_SCRIPT_NONE, /* no letters: numbers, punctuation */
    DOCTOR_SCRIPT_LATIN,
    DOCTOR_SCRIPT_GREEK,
    DOCTOR_SCRIPT_CYRILLIC,
    DOCTOR_SCRIPT_HEBREW,
    DOCTOR_SCRIPT_ARABIC,
    DOCTOR_SCRIPT_DEVANAGARI,
    DOCTOR_SCRIPT_THAI,
    DOCTOR_SCRIPT_HAN,
    DOCTOR_SCRIPT_KANA,
    DOCTOR_SCRIPT_HANGUL,
    DOCTOR_SCRIPT_OTHER,
    DOCTOR_SCRIPTS
};
const char *doctor_script_name(enum doctor_script script); /* "latin" */
enum doctor_script doctor_script_of(const char *text, size_t length);

#endif
