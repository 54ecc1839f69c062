#include "core/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include "core/mem.h"

struct hash_stream {
    XXH3_state_t *state; /* from the library, which knows its alignment */
};

uint64_t hash_u64(const void *bytes, size_t length, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, length, seed);
}

static void to_hex(XXH128_hash_t hash, char hex[HASH_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    for (size_t i = 0; i < sizeof canonical.digest; i++) {
        hex[2 * i] = digits[canonical.digest[i] >> 4];
        hex[2 * i + 1] = digits[canonical.digest[i] & 15];
    }
    hex[HASH_HEX_SIZE - 1] = '\0';
}

void hash_hex(const void *bytes, size_t length, char hex[HASH_HEX_SIZE])
{
    to_hex(XXH3_128bits(bytes, length), hex);
}

int hash_stream_new(struct hash_stream **out)
{
    struct hash_stream *h = mem_alloc(sizeof *h);
    if (h == NULL)
        return RECO_E_NOMEM;
    h->state = XXH3_createState();
    if (h->state == NULL) {
        mem_free(h);
        return err_nomem();
    }
    XXH3_128bits_reset(h->state);
    *out = h;
    return 0;
}

void hash_stream_add(struct hash_stream *h, const void *bytes, size_t length)
{
    if (length > 0)
        XXH3_128bits_update(h->state, bytes, length);
}

void hash_stream_hex(const struct hash_stream *h, char hex[HASH_HEX_SIZE])
{
    to_hex(XXH3_128bits_digest(h->state), hex);
}

void hash_stream_free(struct hash_stream *h)
{
    if (h == NULL)
        return;
    XXH3_freeState(h->state);
    mem_free(h);
}

int hash_file_hex(const char *path, char hex[HASH_HEX_SIZE])
{
    enum { CHUNK_BYTES = 256 * 1024 };
    struct hash_stream *h = NULL;
    unsigned char *chunk = NULL;
    int status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno("cannot read '%s'", path);
    chunk = mem_alloc(CHUNK_BYTES);
    if (chunk == NULL) {
        status = RECO_E_NOMEM;
        goto done;
    }
    status = hash_stream_new(&h);
    if (status != 0)
        goto done;
    for (;;) {
        ssize_t got = read(fd, chunk, CHUNK_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            status = err_set_errno("cannot read '%s'", path);
            goto done;
        }
        if (got == 0)
            break;
        hash_stream_add(h, chunk, (size_t)got);
    }
    hash_stream_hex(h, hex);
done:
    close(fd);
    mem_free(chunk);
    hash_stream_free(h);
    return status;
}
