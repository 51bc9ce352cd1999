/* lib/core/file.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limit.h"
#include "core/mem.h"

enum { BACKUPS_MAX = 1000 };

static void
close_file(FILE **file)
{
    if (*file != NULL)
        (void) fclose(*file);
}
#define CLEANUP_FILE CLEANUP(close_file)

static bool
cannot_read(const char *path, struct odks_err *err)
{
    int cause = errno;
    bool refused = cause == EACCES || cause == EPERM;

    if (odks_limit_reached(cause, err)) {
        odks_err_context(err, "cannot read %s", path);
        return false;
    }
    odks_err_set(err, refused ? ODKS_EXIT_NOPERM : ODKS_EXIT_NOINPUT,
                 "cannot read %s: %s", path, strerror(cause));
    if (refused)
        odks_err_hint(err, "Let the user that runs odk-sync (%ld) read it.",
                      (long) geteuid());
    return false;
}

static bool
cannot_write(const char *path, struct odks_err *err)
{
    if (odks_limit_reached(errno, err)) {
        odks_err_context(err, "cannot write %s", path);
        return false;
    }
    odks_err_set(err, ODKS_EXIT_CANTCREAT, "cannot write %s: %s", path,
                 strerror(errno));
    return false;
}

bool
odks_file_read(const char *path, struct odks_buf *b, struct odks_err *err)
{
    CLEANUP_FILE FILE *file = fopen(path, "re");
    char chunk[4096];
    size_t n;

    if (file == NULL)
        return cannot_read(path, err);
    do {
        n = fread(chunk, 1, sizeof(chunk), file);
        if (ferror(file))
            return cannot_read(path, err);
        if (!odks_buf_add(b, chunk, n)) {
            odks_err_set(err, ODKS_EXIT_DATA, "%s is over %zu bytes", path,
                         b->cap);
            return false;
        }
    } while (n > 0);
    return true;
}

/* Takes file over; all of data is on the disk, if it is one. */
static bool
write_all(FILE *file, const void *data, size_t len, bool to_disk)
{
    bool ok = fwrite(data, 1, len, file) == len && fflush(file) == 0
              && (!to_disk || fsync(fileno(file)) == 0);
    int cause = errno;

    ok &= fclose(file) == 0;
    if (!ok && cause != 0)
        errno = cause;
    return ok;
}

/* The rights of a new file, as open(2) would give them. */
static mode_t
new_mode(void)
{
    mode_t mask = umask(0);

    (void) umask(mask);
    return 0666 & ~mask;
}

/* Takes fd over, which is that of a new file. */
static bool
fill(int fd, mode_t mode, const void *data, size_t len)
{
    FILE *file = fchmod(fd, mode) == 0 ? fdopen(fd, "w") : NULL;

    if (file != NULL)
        return write_all(file, data, len, true);
    int cause = errno;
    (void) close(fd);
    errno = cause;
    return false;
}

static void
take_away(const char *path)
{
    int cause = errno;

    (void) unlink(path);
    errno = cause;
}

/* path is a regular file or not there yet. */
static bool
replace(const char *path, mode_t mode, const void *data, size_t len)
{
    CLEANUP_FREE char *temporary = odks_xasprintf("%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC);

    if (fd < 0)
        return false;
    if (fill(fd, mode, data, len) && rename(temporary, path) == 0)
        return true;
    take_away(temporary);
    return false;
}

/* What is no regular file, without making or emptying one in its place. */
static FILE *
open_special(const char *path)
{
    int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
        return fdopen(fd, "w");
    (void) close(fd);
    errno = EEXIST;
    return NULL;
}

bool
odks_file_replace(const char *path, const void *data, size_t len,
                  struct odks_err *err)
{
    struct stat st;
    bool there = stat(path, &st) == 0;

    if (!there && lstat(path, &st) == 0) {
        odks_err_set(err, ODKS_EXIT_CANTCREAT,
                     "cannot write %s: it is a link to a file that is not "
                     "there",
                     path);
        odks_err_hint(err, "Delete the link, or create that file.");
        return false;
    }
    if (there && !S_ISREG(st.st_mode)) {
        FILE *file = open_special(path);

        return (file != NULL && write_all(file, data, len, false))
               || cannot_write(path, err);
    }
    /* through a link, so that the link stays one */
    CLEANUP_FREE char *real = there ? realpath(path, NULL) : NULL;
    return replace(real != NULL ? real : path,
                   there ? st.st_mode & 07777 : new_mode(), data, len)
           || cannot_write(path, err);
}

/* Does the file have this content? */
static bool
is_same(const char *path, const struct odks_buf *content)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(content->len);

    return odks_file_read(path, &b, &err) && b.len == content->len
           && (b.len == 0 || memcmp(b.data, content->data, b.len) == 0);
}

/* False with EEXIST: a file of that name is there. */
static bool
write_new(const char *path, mode_t mode, const struct odks_buf *content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return false;
    if (fill(fd, mode, content->data, content->len))
        return true;
    take_away(path);
    return false;
}

bool
odks_file_backup(const char *path, const struct odks_buf *content, char **name,
                 struct odks_err *err)
{
    struct stat st;
    mode_t mode = stat(path, &st) == 0 ? st.st_mode & 0777 : 0600;

    *name = NULL;
    for (int i = 0; i < BACKUPS_MAX; i++) {
        CLEANUP_FREE char *backup =
            i == 0 ? odks_xasprintf("%s.backup", path)
                   : odks_xasprintf("%s.backup.%d", path, i);

        if (!write_new(backup, mode, content)) {
            if (errno != EEXIST)
                return cannot_write(backup, err);
            if (!is_same(backup, content))
                continue;
        }
        *name = odks_steal(&backup);
        return true;
    }
    odks_err_set(err, ODKS_EXIT_CANTCREAT, "%s.backup and %d more are there",
                 path, BACKUPS_MAX - 1);
    return false;
}
