#include "core/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 4096, DEFAULT_COLUMNS = 80, BAR_CELLS = 20 };

static const double default_interval_s = 10.0;
static const double redraw_s = 0.1;

static atomic_int current_level = LOG_LEVEL_INFO;
static atomic_bool bar_on_screen;

static bool env_is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

void log_set_level(enum log_level level)
{
    atomic_store(&current_level, (int)level);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load(&current_level);
}

bool log_is_terminal(void)
{
    return isatty(STDERR_FILENO) == 1 && !env_is_set("CI");
}

static bool use_colour(void)
{
    return log_is_terminal() && !env_is_set("NO_COLOR");
}

static void erase_bar(void)
{
    if (atomic_exchange(&bar_on_screen, false))
        fputs("\r\033[K", stderr);
}

/* One call, so that lines of several threads do not mix. */
static void print_line(const char *prefix, const char *fmt, va_list args)
{
    char line[LINE_SIZE];
    int length = vsnprintf(line, sizeof line, fmt, args);
    if (length < 0)
        return;
    flockfile(stderr);
    erase_bar();
    fprintf(stderr, "%s%s\n", prefix, line);
    funlockfile(stderr);
}

void log_info(const char *fmt, ...)
{
    if (log_get_level() < LOG_LEVEL_INFO)
        return;
    va_list args;
    va_start(args, fmt);
    print_line("", fmt, args);
    va_end(args);
}

void log_warn(const char *fmt, ...)
{
    if (log_get_level() < LOG_LEVEL_WARN)
        return;
    va_list args;
    va_start(args, fmt);
    print_line(use_colour() ? "\033[33mwarning:\033[0m " : "warning: ", fmt, args);
    va_end(args);
}

void log_debug(const char *fmt, ...)
{
    if (log_get_level() < LOG_LEVEL_DEBUG)
        return;
    va_list args;
    va_start(args, fmt);
    print_line("debug: ", fmt, args);
    va_end(args);
}

void log_error(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    print_line("", fmt, args);
    va_end(args);
}

double clock_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- progress ---- */

static size_t terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return DEFAULT_COLUMNS;
}

/* "0:42", "12:05", "3:07:30"; "" when it cannot be told yet. */
static void format_left(char *text, size_t size, const struct progress *p, double done, double now_s)
{
    text[0] = '\0';
    double rate = (done - p->start_done) / (now_s - p->started_s);
    if (p->total <= 0 || !(rate > 0) || done > p->total)
        return;
    double left_s = (p->total - done) / rate;
    if (left_s > 999 * 3600.0)
        return;
    long seconds = (long)(left_s + 0.5);
    if (seconds >= 3600)
        snprintf(text, size, ", %ld:%02ld:%02ld left", seconds / 3600, seconds / 60 % 60, seconds % 60);
    else
        snprintf(text, size, ", %ld:%02ld left", seconds / 60, seconds % 60);
}

/* A cell is drawn for each started share; a line that is too long for the terminal would wrap and not be erased. */
static void draw_bar(const struct progress *p, double frac, const char *figures, const char *left)
{
    char line[LINE_SIZE], bar[BAR_CELLS + 1];
    int full = (int)(frac * BAR_CELLS);
    for (int i = 0; i < BAR_CELLS; i++)
        bar[i] = i < full ? '=' : i == full ? '>' : ' ';
    bar[BAR_CELLS] = '\0';
    const char *comma = figures[0] != '\0' ? ", " : "";
    if (p->total > 0)
        snprintf(line, sizeof line, "%s [%s] %3d%%%s%s%s", p->label, bar, (int)(frac * 100), comma, figures, left);
    else
        snprintf(line, sizeof line, "%s%s%s", p->label, comma, figures);
    size_t columns = terminal_columns();
    if (strlen(line) >= columns)
        line[columns - 1] = '\0';
    flockfile(stderr);
    fprintf(stderr, "\r%s\033[K", line);
    atomic_store(&bar_on_screen, true);
    funlockfile(stderr);
}

void progress_start(struct progress *p, const char *label, double total, double start_done)
{
    double interval_s = p->interval_s;
    *p = (struct progress){.label = label, .total = total, .start_done = start_done};
    p->interval_s = interval_s > 0 ? interval_s : default_interval_s;
    p->started_s = clock_now_s();
    p->drawn_s = p->started_s;
}

void progress_update(struct progress *p, double done, const char *fmt, ...)
{
    if (log_get_level() < LOG_LEVEL_INFO)
        return;
    double now_s = clock_now_s();
    bool terminal = log_is_terminal();
    if (now_s - p->drawn_s < (terminal ? redraw_s : p->interval_s))
        return;
    p->drawn_s = now_s;

    char figures[512], left[64];
    va_list args;
    va_start(args, fmt);
    vsnprintf(figures, sizeof figures, fmt, args);
    va_end(args);
    format_left(left, sizeof left, p, done, now_s);
    double frac = p->total > 0 ? done / p->total : 0;
    frac = frac > 1 ? 1 : frac;
    const char *comma = figures[0] != '\0' ? ", " : "";
    if (terminal) {
        draw_bar(p, frac, figures, left);
        p->bar_shown = true;
    } else if (p->total > 0) {
        log_info("%s: %d%%%s%s%s", p->label, (int)(frac * 100), comma, figures, left);
    } else {
        log_info("%s%s%s", p->label, comma, figures);
    }
}

void progress_clear(struct progress *p)
{
    flockfile(stderr);
    erase_bar();
    funlockfile(stderr);
    p->bar_shown = false;
}
