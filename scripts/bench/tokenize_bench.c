/*
 * The tokeniser alone, for scripts/bench/tokenize_speed.py: reads a file of lines into memory, encodes all of them on
 * some threads, over and over, and prints what a round took.
 *
 *     tokenize_bench MODEL FILE THREADS SECONDS     rounds until SECONDS have passed; one line each: wall and CPU
 * seconds tokenize_bench MODEL FILE 0 0                 the ids of every line instead, as reco tokenize prints them
 *
 * Every round starts with empty word caches and encodes into an array that it does not keep.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/buf.h"
#include "core/file.h"
#include "data/wordpiece.h"

enum { MAX_THREADS = 256, MAX_ROUNDS = 100000 };

struct line {
    const char *text;
    size_t length;
};

struct part { /* of one thread */
    const struct wordpiece *wp;
    const struct line *lines;
    size_t count, ids;
    int rc;
};

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void stop_on(int rc)
{
    if (rc != 0) {
        fprintf(stderr, "tokenize_bench: %s\n", err_message());
        exit(1);
    }
}

static void *encode_part(void *arg)
{
    struct part *part = arg;
    struct wordpiece_scratch *scratch = NULL;
    struct wordpiece_ids ids = {0};
    part->ids = 0;
    part->rc = wordpiece_scratch_new(&scratch, part->wp);
    for (size_t i = 0; part->rc == 0 && i < part->count; i++) {
        ids.count = 0;
        part->rc = wordpiece_encode(part->wp, scratch, part->lines[i].text, part->lines[i].length, &ids);
        part->ids += ids.count;
    }
    wordpiece_ids_release(&ids);
    wordpiece_scratch_free(scratch);
    return NULL;
}

static void print_ids(const struct wordpiece *wp, const struct line *lines, size_t count)
{
    struct wordpiece_scratch *scratch = NULL;
    struct wordpiece_ids ids = {0};
    const struct wordpiece_special *special = wordpiece_special_ids(wp);
    stop_on(wordpiece_scratch_new(&scratch, wp));
    for (size_t i = 0; i < count; i++) {
        ids.count = 0;
        stop_on(wordpiece_encode(wp, scratch, lines[i].text, lines[i].length, &ids));
        printf("%d", special->cls);
        for (size_t k = 0; k < ids.count; k++)
            printf(" %d", ids.ids[k]);
        printf(" %d\n", special->sep);
    }
    wordpiece_ids_release(&ids);
    wordpiece_scratch_free(scratch);
}

static void run_round(struct part *parts, int threads)
{
    pthread_t handles[MAX_THREADS];
    double wall = seconds(CLOCK_MONOTONIC), processor = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 1; i < threads; i++)
        if (pthread_create(&handles[i], NULL, encode_part, &parts[i]) != 0)
            exit(1);
    (void)encode_part(&parts[0]);
    for (int i = 1; i < threads; i++)
        pthread_join(handles[i], NULL);
    wall = seconds(CLOCK_MONOTONIC) - wall;
    processor = seconds(CLOCK_PROCESS_CPUTIME_ID) - processor;
    for (int i = 0; i < threads; i++)
        if (parts[i].rc != 0)
            exit(1);
    printf("%.6f %.6f\n", wall, processor);
}

int main(int argc, char **argv)
{
    struct wordpiece *wp = NULL;
    struct buf text = {0};
    if (argc != 5) {
        fprintf(stderr, "usage: tokenize_bench MODEL FILE THREADS SECONDS\n");
        return 2;
    }
    int threads = (int)strtol(argv[3], NULL, 10);
    double time_s = strtod(argv[4], NULL);
    stop_on(wordpiece_open_dir(&wp, argv[1], false));
    stop_on(file_read_all(argv[2], 0, &text));

    size_t count = 0, at = 0;
    for (const char *p = buf_str(&text); p < text.data + text.length; p++)
        count += *p == '\n';
    struct line *lines = malloc((count + 1) * sizeof *lines);
    if (lines == NULL || threads > MAX_THREADS)
        return 1;
    for (const char *p = text.data, *end = text.data + text.length; p < end;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop != NULL ? stop : end;
        lines[at++] = (struct line){p, (size_t)(stop - p)};
        p = stop + 1;
    }
    if (threads <= 0) {
        print_ids(wp, lines, at);
    } else {
        struct part parts[MAX_THREADS];
        for (size_t i = 0; i < (size_t)threads; i++) {
            size_t from = at * i / (size_t)threads, to = at * (i + 1) / (size_t)threads;
            parts[i] = (struct part){.wp = wp, .lines = lines + from, .count = to - from};
        }
        double end = seconds(CLOCK_MONOTONIC) + time_s;
        for (int round = 0; round < MAX_ROUNDS && (round == 0 || seconds(CLOCK_MONOTONIC) < end); round++)
            run_round(parts, threads);
    }
    free(lines);
    buf_release(&text);
    wordpiece_close(wp);
    return fflush(stdout) != 0;
}
