#include "cli/output_dir.h"

#include "core/file.h"
#include "core/mem.h"

int output_dir_check(const char *path, bool overwrite, const char *marker, const char *what)
{
    bool empty = true;
    if (file_exists(path))
        return err_set(RECO_E_IO, "cannot make directory '%s': a file of that name exists", path);
    int status = dir_is_empty(path, &empty);
    if (status != 0 || empty)
        return status;
    if (!overwrite)
        return err_set(RECO_E_USAGE, "output directory '%s' is not empty: choose another one, or give --overwrite",
                       path);
    char *marked = path_join(path, marker);
    if (marked == NULL)
        return RECO_E_NOMEM;
    if (!file_exists(marked))
        status =
            err_set(RECO_E_USAGE, "output directory '%s' holds something else than a %s: remove it first", path, what);
    mem_free(marked);
    return status;
}
