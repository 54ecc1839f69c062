#ifndef RECO_TESTS_FUZZ_H
#define RECO_TESTS_FUZZ_H

/* What a fuzz target includes: the entry point's prototype, and its input as a file for parsers that take a path. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A memory file with the bytes; path [64] names it. The caller closes the descriptor. */
static inline int fuzz_file(const uint8_t *data, size_t size, char path[64])
{
    int fd = memfd_create("fuzz", 0);
    if (fd < 0)
        abort();
    for (size_t done = 0; done < size;) {
        ssize_t put = write(fd, data + done, size - done);
        if (put <= 0)
            abort();
        done += (size_t)put;
    }
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

#endif
