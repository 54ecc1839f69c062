#include "cli/output_file.h"

#include <string.h>
#include <sys/stat.h>

static bool is_one_file(const char *a, const char *b)
{
    struct stat of_a;
    struct stat of_b;
    if (!strcmp(a, b)) {
        return true;
    }
    return !stat(a, &of_a) && !stat(b, &of_b) && S_ISREG(of_a.st_mode) && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

/* Predictions are read with the sidecar beside them, and a file of that name would be taken for one. */
static bool is_sidecar(const char *path, const struct file_use *of)
{
    size_t length = strlen(of->path);
    bool is_predictions = !of->option || !strcmp(of->option, "predictions");
    return is_predictions && !strncmp(path, of->path, length) && !strcmp(path + length, ".json");
}

int file_uses_check(const struct file_use *uses, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct file_use *written = &uses[i];
        if (!written->path || !written->writes) {
            continue;
        }
        if (!strcmp(written->path, "-")) {
            return err_set(RECO_E_USAGE, "--%s needs a file, not '-': stdout has the results", written->option);
        }
        for (size_t k = 0; k < count; k++) {
            const struct file_use *other = &uses[k];
            if (k == i || !other->path) {
                continue;
            }
            if (is_sidecar(written->path, other)) {
                return err_set(RECO_E_USAGE, "--%s would replace '%s', the sidecar of '%s'", written->option,
                               written->path, other->path);
            }
            if (is_one_file(written->path, other->path)) {
                return err_set(RECO_E_USAGE, "--%s would replace '%s', which %s%s %s", written->option, other->path,
                               other->option ? "--" : "is given to be", other->option ? other->option : "",
                               !other->option  ? "read"
                               : other->writes ? "writes too"
                                               : "reads");
            }
        }
    }
    return 0;
}
