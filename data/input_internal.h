#ifndef RECO_DATA_INPUT_INTERNAL_H
#define RECO_DATA_INPUT_INTERNAL_H

/*
 * The stages between a file and its text; each reads from the one before and owns it. Private to input*.c.
 *     file -> [gunzip | unzstd] -> [decoder] -> [repair]
 */

#include "core/buf.h"
#include "data/input.h"

struct input_stage {
    int (*read)(struct input_stage *stage, void *bytes, size_t capacity, size_t *got); /* as input_read */
    void (*free)(struct input_stage *stage);
};

void input_stage_free(struct input_stage *stage); /* NULL-safe */

/* A stage that turns blocks of its source into blocks of its own: the base of all but the first. */
enum { INPUT_BLOCK_BYTES = 128 * 1024 };
struct input_filter {
    struct input_stage stage;
    struct input_stage *from;
    const char *label;
    unsigned char *in; /* [INPUT_BLOCK_BYTES], unread bytes are [in_start, in_end) */
    size_t in_start, in_end;
    uint64_t in_offset; /* of in_start in the source */
    bool in_at_end;     /* the source has no more than [in_start, in_end) */
    struct buf out;     /* [out_start, length) is ready */
    size_t out_start;
    bool ended;
    int (*produce)(struct input_filter *f); /* adds to out, or sets ended; may also do neither */
    void (*release)(struct input_filter *f);
};

/* f: zero but for produce and release; owned by the chain from then on, and freed with from on failure. */
int input_filter_start(struct input_filter *f, struct input_stage *from, const char *label) RECO_MUST_CHECK;
/* Reads until at least need (<= INPUT_BLOCK_BYTES) bytes are unread, or the source is at its end; they may move. */
int input_filter_fill(struct input_filter *f, size_t need) RECO_MUST_CHECK;

/* Each takes over *chain and puts itself in its place; on failure *chain is freed and NULL. */
int input_gunzip_add(struct input_stage **chain, const char *label) RECO_MUST_CHECK;
int input_unzstd_add(struct input_stage **chain, const char *label) RECO_MUST_CHECK;
int input_bytes_decoder_add(struct input_stage **chain, const char *label, bool latin1,
                            struct input_facts *facts) RECO_MUST_CHECK;
int input_utf16_decoder_add(struct input_stage **chain, const char *label, bool big_endian,
                            uint64_t *replaced) RECO_MUST_CHECK;
int input_repair_add(struct input_stage **chain, const char *label, struct input_facts *facts) RECO_MUST_CHECK;

/* The character of a byte by the WHATWG's index windows-1252, and back: -1 for characters that it does not have. */
uint32_t input_windows1252_character(unsigned char byte);
int input_windows1252_byte(uint32_t character);

/* RECO_E_DATA when the content's first bytes are those of something else than text. */
int input_check_content(const unsigned char *bytes, size_t length, const char *label) RECO_MUST_CHECK;

#endif
