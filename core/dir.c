#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/file.h"
#include "core/file_internal.h"
#include "core/mem.h"

/* Length of path without trailing slashes; "/" keeps its one. */
static size_t trimmed_length(const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    return length;
}

/* The directory that holds path: "." for a plain name. NULL: out of memory. The caller frees. */
static char *parent_of(const char *path)
{
    size_t length = trimmed_length(path);
    while (length > 0 && path[length - 1] != '/')
        length--;
    if (length == 0)
        return mem_strdup(".");
    while (length > 1 && path[length - 1] == '/')
        length--;
    return mem_strndup(path, length);
}

static int sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? 0 : err_set_errno("cannot open directory '%s'", path); /* write-only directories */
    int status = 0;
    if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS) /* file systems without it */
        status = err_set_errno("cannot write directory '%s'", path);
    close(fd);
    return status;
}

int dir_sync_parent(const char *path)
{
    char *parent = parent_of(path);
    if (parent == NULL)
        return RECO_E_NOMEM;
    int status = sync_dir(parent);
    mem_free(parent);
    return status;
}

bool file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

bool dir_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

int dir_make(const char *path)
{
    if (path[0] == '\0') {
        errno = ENOENT;
        return err_set_errno("cannot make directory '%s'", path);
    }
    char *partial = mem_strndup(path, trimmed_length(path));
    if (partial == NULL)
        return RECO_E_NOMEM;
    int status = 0;
    for (char *p = partial + 1; status == 0; p++) {
        char c = *p;
        if (c != '/' && c != '\0')
            continue;
        *p = '\0';
        if (!dir_exists(partial) && (file_fail_now() || mkdir(partial, 0777) != 0) &&
            !(errno == EEXIST && dir_exists(partial)))
            status = err_set_errno("cannot make directory '%s'", partial);
        *p = c;
        if (c == '\0')
            break;
    }
    mem_free(partial);
    return status;
}

int dir_is_empty(const char *path, bool *empty)
{
    DIR *dir = opendir(path);
    if (dir == NULL) {
        if (errno != ENOENT)
            return err_set_errno("cannot read directory '%s'", path);
        *empty = true;
        return 0;
    }
    bool found = false;
    for (struct dirent *entry; !found && (entry = readdir(dir)) != NULL;)
        found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    *empty = !found;
    return 0;
}

/* Descends by descriptors, so that a symbolic link put in the way meanwhile is never followed; allocates nothing of
 * ours. */
static int remove_at(int parent_fd, const char *name)
{
    if (unlinkat(parent_fd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -1;
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    int failed = 0;
    for (struct dirent *entry; failed == 0 && (entry = readdir(dir)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            failed = remove_at(fd, entry->d_name);
    int error_number = errno;
    closedir(dir);
    errno = error_number;
    return failed != 0 ? -1 : unlinkat(parent_fd, name, AT_REMOVEDIR);
}

int dir_remove(const char *path)
{
    return remove_at(AT_FDCWD, path) != 0 ? err_set_errno("cannot remove '%s'", path) : 0;
}

int file_remove(const char *path)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return err_set_errno("cannot remove '%s'", path);
    return 0;
}

char *path_join(const char *dir, const char *name)
{
    size_t length = strlen(dir);
    const char *slash = length > 0 && dir[length - 1] != '/' ? "/" : "";
    return mem_printf("%s%s%s", dir, slash, name);
}

int file_free_bytes(const char *path, uint64_t *bytes)
{
    struct statvfs info;
    char *existing = mem_strdup(path);
    if (existing == NULL)
        return RECO_E_NOMEM;
    while (statvfs(existing, &info) != 0) {
        if (errno != ENOENT && errno != ENOTDIR) {
            int status = err_set_errno("cannot read the free space of '%s'", existing);
            mem_free(existing);
            return status;
        }
        char *parent = parent_of(existing);
        mem_free(existing);
        if (parent == NULL)
            return RECO_E_NOMEM;
        existing = parent;
    }
    mem_free(existing);
    *bytes = (uint64_t)info.f_bavail * info.f_frsize;
    return 0;
}

/* ---- staging ---- */

/* Where path's directory really is: links resolved when it exists, so that the stage lies on the same file system. */
static char *stage_target(const char *path)
{
    char *resolved = realpath(path, NULL);
    char *target = resolved != NULL ? mem_strdup(resolved) : mem_strndup(path, trimmed_length(path));
    free(resolved);
    return target;
}

int dir_stage_begin(char **tmp_path, const char *path)
{
    char *parent = NULL, *tmp = NULL;
    int status;
    char *target = stage_target(path);
    if (target == NULL)
        return RECO_E_NOMEM;
    if (file_exists(target)) {
        status = err_set(RECO_E_IO, "cannot make directory '%s': a file of that name exists", path);
        goto done;
    }
    parent = parent_of(target);
    tmp = mem_printf("%s.tmp.%ld", target, (long)getpid());
    if (parent == NULL || tmp == NULL) {
        status = RECO_E_NOMEM;
        goto done;
    }
    status = dir_make(parent);
    if (status != 0)
        goto done;
    status = dir_remove(tmp); /* a left-over of a killed process that had our id */
    if (status != 0)
        goto done;
    if (file_fail_now() || mkdir(tmp, 0777) != 0) {
        status = err_set_errno("cannot make directory '%s'", path);
        goto done;
    }
    *tmp_path = tmp;
    tmp = NULL;
done:
    mem_free(target);
    mem_free(parent);
    mem_free(tmp);
    return status;
}

/* For file systems without RENAME_EXCHANGE: there is an instant at which only "<path>.old.<pid>" exists. */
static int swap_by_renames(const char *tmp_path, const char *target)
{
    char *old = mem_printf("%s.old.%ld", target, (long)getpid());
    if (old == NULL)
        return RECO_E_NOMEM;
    int status = 0;
    if (file_fail_now() || rename(target, old) != 0) {
        status = err_set_errno("cannot replace '%s'", target);
    } else if (file_fail_now() || rename(tmp_path, target) != 0) {
        status = err_set_errno("cannot replace '%s'", target);
        if (rename(old, target) != 0)
            status = err_prepend(status, "the former content is in '%s'", old);
    } else {
        status = dir_remove(old);
    }
    mem_free(old);
    return status;
}

int dir_stage_commit(const char *tmp_path, const char *path)
{
    char *target = stage_target(path);
    if (target == NULL)
        return RECO_E_NOMEM;
    char *parent = parent_of(target); /* now: nothing may fail for want of memory once the directory is in place */
    int status = parent == NULL ? RECO_E_NOMEM : sync_dir(tmp_path);
    if (status != 0)
        goto done;
    if (!dir_exists(target)) {
        if (file_fail_now() || rename(tmp_path, target) != 0)
            status = err_set_errno("cannot make '%s'", path);
    } else if (!file_fail_now() && renameat2(AT_FDCWD, tmp_path, AT_FDCWD, target, RENAME_EXCHANGE) == 0) {
        status = dir_remove(tmp_path);
    } else if (errno == EINVAL || errno == ENOSYS || errno == ENOTSUP) {
        status = swap_by_renames(tmp_path, target);
    } else {
        status = err_set_errno("cannot replace '%s'", path);
    }
    if (status == 0)
        status = sync_dir(parent);
done:
    mem_free(target);
    mem_free(parent);
    return status;
}

void dir_stage_abort(const char *tmp_path)
{
    if (tmp_path != NULL)
        (void)remove_at(AT_FDCWD, tmp_path);
}
