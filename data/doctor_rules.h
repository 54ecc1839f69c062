#ifndef RECO_DATA_DOCTOR_RULES_H
#define RECO_DATA_DOCTOR_RULES_H

/* The rules of the doctor as one const table. Private to doctor*.c. */

enum doctor_severity { DOCTOR_ERROR, DOCTOR_WARNING, DOCTOR_INFO };
extern const char *const doctor_severity_names[]; /* "error", "warning", "info" */

/* In the order of the report. Errors stop prepare or make a result worthless; warnings cost quality. */
enum doctor_rule_id {
    /* files */
    DOCTOR_NO_ROWS,
    DOCTOR_BAD_ROWS,
    DOCTOR_INVALID_UTF8,
    DOCTOR_MOJIBAKE,
    DOCTOR_REPLACEMENT,
    DOCTOR_BOM,
    DOCTOR_LINE_ENDS,
    DOCTOR_NO_HEADER,
    DOCTOR_REPEATED_COLUMN,
    DOCTOR_COLUMNS_DIFFER,
    DOCTOR_EVENT_LOG,
    DOCTOR_NO_QUERY,
    DOCTOR_NO_DESCRIPTION,
    DOCTOR_NO_LABEL,
    /* labels */
    DOCTOR_LABEL_MISSING,
    DOCTOR_LABEL_ONE_CLASS,
    DOCTOR_LABEL_UNSEEN,
    DOCTOR_LABEL_MANY,
    DOCTOR_LABEL_FRACTIONS,
    DOCTOR_LABEL_SPELLINGS,
    DOCTOR_LABEL_RARE,
    DOCTOR_LABEL_IMBALANCE,
    DOCTOR_LABEL_DRIFT,
    DOCTOR_COLUMN_IS_LABEL,
    DOCTOR_COLUMN_TELLS_LABEL,
    /* rows against each other */
    DOCTOR_LEAK_PAIRS,
    DOCTOR_LEAK_QUERIES,
    DOCTOR_CONTRADICTIONS,
    DOCTOR_DUPLICATE_ROWS,
    DOCTOR_DUPLICATE_PAIRS,
    DOCTOR_REPEATED_IDS,
    DOCTOR_QUERY_SPELLINGS,
    DOCTOR_ONE_LABEL_QUERIES,
    DOCTOR_ONE_ITEM_QUERIES,
    DOCTOR_ITEM_SKEW,
    /* columns */
    DOCTOR_EMPTY_QUERY,
    DOCTOR_EMPTY_DESCRIPTION,
    DOCTOR_EMPTY_COLUMN,
    DOCTOR_CONSTANT_COLUMN,
    DOCTOR_MISSING_VALUES,
    DOCTOR_ID_AS_TEXT,
    /* texts */
    DOCTOR_HTML,
    DOCTOR_SCRIPT,
    DOCTOR_ENTITIES,
    DOCTOR_CONTROL,
    DOCTOR_BLANKS,
    DOCTOR_REPEATED_TEXT,
    DOCTOR_EMAIL,
    DOCTOR_PHONE,
    DOCTOR_CARD,
    DOCTOR_MIXED_SCRIPTS,
    DOCTOR_UNKNOWN_TOKENS,
    DOCTOR_CUT,
    DOCTOR_RULES
};

struct doctor_rule {
    const char *name; /* stable, in JSON */
    enum doctor_severity severity;
    const char *what;   /* what is wrong; of rules that count rows, what stands before " in 3 of 100 rows" */
    const char *mend;   /* what to do; NULL: said by the finding itself */
    const char *option; /* of reco prepare, for the suggested command; NULL: none */
    const char *value;  /* NULL: a switch */
};
extern const struct doctor_rule doctor_rules[DOCTOR_RULES];

#endif
