#include "cli/program.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/stop.h"

/* The installation's prefix: the running executable's path without bin/reco or libexec/reco/reco-torch. */
static int find_prefix(char **out)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0)
        return err_set_errno("cannot read '/proc/self/exe'");
    path[length] = '\0';
#ifdef RECO_TORCH_EXECUTABLE
    int levels = 3;
#else
    int levels = 2;
#endif
    for (int i = 0; i < levels; i++) {
        char *slash = strrchr(path, '/');
        if (slash != NULL)
            *slash = '\0';
    }
    *out = mem_strdup(path);
    return *out == NULL ? RECO_E_NOMEM : 0;
}

/* The loader looks in <prefix>/lib/reco, where libtorch was when reco was built, and in LD_LIBRARY_PATH. */
static int offer_libtorch(void)
{
    const char *root = getenv("LIBTORCH"), *old = getenv("LD_LIBRARY_PATH");
    if (root == NULL || root[0] == '\0')
        return 0;
    bool has_old = old != NULL && old[0] != '\0';
    char *path = mem_printf("%s/lib%s%s", root, has_old ? ":" : "", has_old ? old : "");
    int status = path == NULL || setenv("LD_LIBRARY_PATH", path, 1) != 0 ? err_nomem() : 0;
    mem_free(path);
    return status;
}

/* Asks the loader which libraries of path are missing, without running it (20 ms): after exec an error could not be
 * ours. */
static int check_libraries(char *path)
{
    struct buf trace = {0}, missing = {0};
    int exit_status;
    char *argv[] = {path, NULL};
    if (setenv("LD_TRACE_LOADED_OBJECTS", "1", 1) != 0)
        return err_nomem();
    int status = program_capture(path, argv, &trace, NULL, &exit_status);
    unsetenv("LD_TRACE_LOADED_OBJECTS");
    for (const char *line = buf_str(&trace); *line != '\0' && status == 0;) {
        size_t length = strcspn(line, "\n"), name = strspn(line, " \t"), name_end = name + strcspn(line + name, " \n");
        if (memmem(line, length, "=> not found", strlen("=> not found")) != NULL)
            status =
                buf_printf(&missing, "%s%.*s", missing.length > 0 ? ", " : "", (int)(name_end - name), line + name);
        line += length + (line[length] == '\n');
    }
    if (status == 0 && missing.length > 0)
        status =
            err_set(RECO_E_MODEL,
                    "cannot start '%s': not found: %s; set LIBTORCH to the 'torch' directory of a torch 2.11 wheel or "
                    "to an official libtorch directory, and LD_LIBRARY_PATH to where the CUDA libraries are",
                    path, buf_str(&missing));
    buf_release(&trace);
    buf_release(&missing);
    return status;
}

int program_find_torch(char **out)
{
    char *prefix = NULL, *path = NULL;
    int status = find_prefix(&prefix);
    if (status != 0)
        return status;
    path = path_join(prefix, "libexec/reco/reco-torch");
    if (path == NULL)
        status = RECO_E_NOMEM;
    else if (access(path, X_OK) != 0)
        status = err_set(RECO_E_MODEL, "cannot start '%s': %s; this reco was built or installed without libtorch", path,
                         strerror(errno));
    mem_free(prefix);
    if (status == 0)
        status = offer_libtorch();
    if (status == 0)
        status = check_libraries(path);
    if (status != 0) {
        mem_free(path);
        return status;
    }
    *out = path;
    return 0;
}

int cmd_exec_torch(const struct cmd_ctx *ctx)
{
    char *path = NULL;
    int status = program_find_torch(&path);
    if (status != 0)
        return status;
    char **argv = mem_calloc((size_t)ctx->argc + 2, sizeof *argv);
    if (argv == NULL) {
        mem_free(path);
        return RECO_E_NOMEM;
    }
    argv[0] = path;
    for (int i = 0; i < ctx->argc; i++)
        argv[i + 1] = ctx->argv[i];
    execv(path, argv);
    err_set_errno("cannot start '%s'", path);
    mem_free(argv);
    mem_free(path);
    return RECO_E_MODEL;
}

/* ---- children ---- */

static int exit_status_of(int wait_status)
{
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

static int error_of_exit_status(int status)
{
    switch (status) {
    case 130:
    case 143:
        return RECO_E_STOPPED;
    case 1:
        return RECO_E_GATE;
    case 2:
        return RECO_E_USAGE;
    case 3:
        return RECO_E_DATA;
    case 4:
        return RECO_E_IO;
    case 5:
        return RECO_E_DIVERGED;
    case 6:
        return RECO_E_MODEL;
    default:
        return RECO_E_INTERNAL;
    }
}

/* A signal from the terminal reaches both; one sent to us alone is passed on. Polling, since a handler that only sets a
 * flag does not end a restarted waitpid. */
static int wait_for(pid_t child, int *wait_status)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    bool passed_on = false;
    for (;;) {
        pid_t done = waitpid(child, wait_status, WNOHANG);
        if (done == child)
            return 0;
        if (done < 0 && errno != EINTR)
            return err_set_errno("cannot wait for a child process");
        if (stop_signal() == SIGTERM && !passed_on) {
            kill(child, SIGTERM);
            passed_on = true;
        }
        nanosleep(&pause, NULL);
    }
}

int cmd_run_child(const char *const *argv)
{
    size_t count = 0;
    while (argv[count] != NULL)
        count++;
    const char **words = mem_calloc(count + 2, sizeof *words);
    if (words == NULL)
        return RECO_E_NOMEM;
    words[0] = "reco";
    memcpy(words + 1, argv, count * sizeof *words);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        signal(SIGPIPE, SIG_DFL);
        execv("/proc/self/exe", (char *const *)words);
        _exit(70);
    }
    mem_free(words);
    if (child < 0)
        return err_set_errno("cannot start 'reco %s'", argv[0]);
    int wait_status;
    int status = wait_for(child, &wait_status);
    if (status != 0)
        return status;
    int exit_status = exit_status_of(wait_status);
    if (exit_status == 0)
        return 0;
    return err_set(error_of_exit_status(exit_status), "'reco %s' ended with exit status %d", argv[0], exit_status);
}

/* What can be read from *end, which is closed and becomes -1 at its end. */
static int read_part(int *end, const char *path, struct buf *b)
{
    char chunk[4096];
    ssize_t got = read(*end, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR)
        return 0;
    if (got < 0)
        return err_set_errno("cannot read what '%s' prints", path);
    if (got == 0) {
        close(*end);
        *end = -1;
        return 0;
    }
    return buf_add(b, chunk, (size_t)got);
}

int program_capture(const char *path, char *const *argv, struct buf *output, struct buf *talk, int *exit_status)
{
    int out[2], err[2] = {-1, -1};
    if (pipe(out) != 0)
        return err_set_errno("cannot make a pipe");
    if (talk != NULL && pipe(err) != 0) {
        int status = err_set_errno("cannot make a pipe");
        close(out[0]);
        close(out[1]);
        return status;
    }
    pid_t child = fork();
    if (child == 0) {
        dup2(out[1], STDOUT_FILENO);
        if (talk != NULL)
            dup2(err[1], STDERR_FILENO);
        for (int i = 0; i < 2; i++) {
            close(out[i]);
            close(err[i]);
        }
        execv(path, argv);
        _exit(127);
    }
    int status = child < 0 ? err_set_errno("cannot start '%s'", path) : 0;
    close(out[1]);
    if (talk != NULL)
        close(err[1]);
    while (status == 0 && (out[0] >= 0 || err[0] >= 0)) {
        struct pollfd ends[2] = {{.fd = out[0], .events = POLLIN}, {.fd = err[0], .events = POLLIN}};
        if (poll(ends, 2, -1) < 0) {
            status = errno == EINTR ? 0 : err_set_errno("cannot read what '%s' prints", path);
            continue;
        }
        if (ends[0].revents != 0)
            status = read_part(&out[0], path, output);
        if (status == 0 && ends[1].revents != 0)
            status = read_part(&err[0], path, talk);
    }
    if (out[0] >= 0)
        close(out[0]);
    if (err[0] >= 0)
        close(err[0]);
    int wait_status = 0;
    if (child > 0 && waitpid(child, &wait_status, 0) < 0 && status == 0)
        status = err_set_errno("cannot wait for '%s'", path);
    if (status == 0)
        *exit_status = exit_status_of(wait_status);
    return status;
}

/* ---- the command line as text ---- */

static int add_quoted(struct buf *b, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%^";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0')
        return buf_add_str(b, word);
    int status = buf_add_char(b, '\'');
    for (; *word != '\0' && status == 0; word++)
        status = *word == '\'' ? buf_add_str(b, "'\\''") : buf_add_char(b, *word);
    return status == 0 ? buf_add_char(b, '\'') : status;
}

char *cmd_line_text(const struct cmd_ctx *ctx)
{
    struct buf b = {0};
    int status = buf_add_str(&b, "reco");
    for (int i = 0; i < ctx->argc && status == 0; i++) {
        status = buf_add_char(&b, ' ');
        if (status == 0)
            status = add_quoted(&b, ctx->argv[i]);
    }
    if (status != 0) {
        buf_release(&b);
        return NULL;
    }
    return buf_take(&b);
}
