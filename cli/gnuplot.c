#include "cli/gnuplot.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/program.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/temp_file.h"

/* The path of gnuplot in PATH, or NULL; the caller frees. */
static char *find_gnuplot(void)
{
    const char *path = getenv("PATH");
    for (const char *at = path ? path : ""; *at;) {
        size_t length = strcspn(at, ":");
        char *candidate = mem_printf("%.*s/gnuplot", (int)length, at);
        if (candidate && length && !access(candidate, X_OK)) {
            return candidate;
        }
        mem_free(candidate);
        at += length + (at[length] == ':');
    }
    return NULL;
}

/* A picture that gnuplot cannot draw is left out; the page says so and goes on. */
static int draw(struct page_picture *picture, const char *gnuplot, const char *script)
{
    int exit_status = 0;
    struct buf talk = {0};
    int rc = file_write_all(script, picture->program.data, picture->program.length);
    if (!rc) {
        char *argv[] = {(char *)"gnuplot", (char *)"-d", (char *)script, NULL}; /* no ~/.gnuplot */
        rc = program_capture(gnuplot, argv, &picture->svg, &talk, &exit_status);
    }
    if (!rc && talk.length) {
        log_debug("gnuplot, '%s': %s", picture->title, buf_str(&talk));
    }
    if (!rc && exit_status) {
        buf_clear(&picture->svg);
    }
    buf_release(&talk);
    return rc;
}

int gnuplot_draw(struct page_picture *pictures, size_t count)
{
    char *gnuplot = count ? find_gnuplot() : NULL;
    char *dir = NULL;
    char *script = NULL;
    if (!gnuplot) {
        return 0;
    }
    int rc = temp_dir_make(&dir, NULL, "plot");
    if (!rc) {
        script = path_join(dir, "plot");
        rc = script ? 0 : RECO_E_NOMEM;
    }
    for (size_t i = 0; !rc && i < count; i++) {
        rc = draw(&pictures[i], gnuplot, script);
    }
    if (dir && dir_remove(dir)) {
        log_warn("cannot remove '%s'", dir);
    }
    mem_free(script);
    mem_free(dir);
    mem_free(gnuplot);
    return rc;
}
