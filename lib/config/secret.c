/* lib/config/secret.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/internal.h"
#include "core/limit.h"
#include "core/mem.h"
#include "core/utf8.h"

enum { SECRET_MAX = 4095 };

struct fd {
    int n;
};

static void
close_fd(struct fd *fd)
{
    if (fd->n >= 0)
        (void) close(fd->n);
}

static bool
cannot_read(const char *path, struct odks_err *err)
{
    int cause = errno;

    if (odks_limit_reached(cause, err)) {
        odks_err_context(err, "cannot read %s", path);
        return false;
    }
    odks_err_set(err,
                 cause == EACCES || cause == EPERM ? ODKS_EXIT_NOPERM
                                                   : ODKS_EXIT_NOINPUT,
                 "cannot read %s: %s", path, strerror(cause));
    if (cause == EACCES || cause == EPERM)
        odks_err_hint(err,
                      "Let the user that runs odk-sync (%ld) read it, "
                      "as owner or through a group.",
                      (long) geteuid());
    return false;
}

static bool
read_all(int fd, const char *path, struct odks_buf *b, struct odks_err *err)
{
    char chunk[4096];
    bool fits = true;
    ssize_t n = 1;

    while (n > 0 && fits) {
        do {
            n = read(fd, chunk, sizeof(chunk));
        } while (n < 0 && errno == EINTR);
        if (n < 0)
            (void) cannot_read(path, err);
        else
            fits = odks_buf_add(b, chunk, (size_t) n);
    }
    explicit_bzero(chunk, sizeof(chunk));
    if (!fits)
        odks_err_set(err, ODKS_EXIT_CONFIG, "%s is over %zu bytes", path,
                     b->cap);
    return fits && n == 0;
}

bool
odks_config_slurp(const char *path, struct odks_buf *b, bool *world_readable,
                  struct odks_err *err)
{
    CLEANUP(close_fd) struct fd fd = { open(path, O_RDONLY | O_CLOEXEC) };
    struct stat st;

    if (fd.n < 0 || fstat(fd.n, &st) != 0)
        return cannot_read(path, err);
    if ((st.st_mode & S_IWOTH) != 0 && !S_ISCHR(st.st_mode)) {
        odks_err_set(err, ODKS_EXIT_NOPERM, "%s can be written by everybody",
                     path);
        odks_err_hint(err, "Run: chmod o-w %s", path);
        return false;
    }
    if (world_readable != NULL)
        *world_readable = (st.st_mode & S_IROTH) != 0;
    return read_all(fd.n, path, b, err);
}

static void
wipe_buf(struct odks_buf *b)
{
    if (b->data != NULL)
        explicit_bzero(b->data, b->size);
    odks_buf_free(b);
}

/* Editors on Windows put a byte order mark in front, which nobody sees. */
static bool
drop_mark(struct odks_buf *b, const char *path, struct odks_err *err)
{
    static const char utf8[] = "\xef\xbb\xbf";
    size_t n = sizeof(utf8) - 1;

    if (b->len >= 2
        && (memcmp(b->data, "\xff\xfe", 2) == 0
            || memcmp(b->data, "\xfe\xff", 2) == 0)) {
        odks_err_set(err, ODKS_EXIT_CONFIG, "%s is in UTF-16", path);
        odks_err_hint(err, "Save it again as UTF-8.");
        return false;
    }
    if (b->len >= n && memcmp(b->data, utf8, n) == 0) {
        memmove(b->data, b->data + n, b->len - n);
        odks_buf_truncate(b, b->len - n);
    }
    return true;
}

/* One \n or \r\n, as editors and echo leave it. */
static void
strip_newline(struct odks_buf *b)
{
    if (b->len == 0 || b->data[b->len - 1] != '\n')
        return;
    bool windows = b->len > 1 && b->data[b->len - 2] == '\r';
    odks_buf_truncate(b, b->len - (windows ? 2 : 1));
}

static bool
read_secret(const char *path, bool keep_mark, char **secret,
            struct odks_err *err)
{
    CLEANUP(wipe_buf) struct odks_buf b = ODKS_BUF_INIT(SECRET_MAX);
    bool world_readable = false;

    *secret = NULL;
    if (!odks_config_slurp(path, &b, &world_readable, err))
        return false;
    if (world_readable) {
        odks_err_set(err, ODKS_EXIT_NOPERM, "%s can be read by everybody",
                     path);
        odks_err_hint(err, "Run: chmod o-r %s", path);
        return false;
    }
    if (!keep_mark && !drop_mark(&b, path, err))
        return false;
    strip_newline(&b);
    if (b.len == 0 || memchr(b.data, '\0', b.len) != NULL) {
        odks_err_set(err, ODKS_EXIT_CONFIG, "%s %s", path,
                     b.len == 0 ? "is empty" : "holds a NUL byte");
        odks_err_hint(err, "Write the secret, and nothing else, into it.");
        return false;
    }
    *secret = odks_xstrdup(b.data);
    return true;
}

bool
odks_secret_read(const char *path, char **secret, struct odks_err *err)
{
    return read_secret(path, false, secret, err);
}

/* All of its bytes have made the hashes that are stored. */
bool
odks_secret_read_key(const char *path, char **key, struct odks_err *err)
{
    return read_secret(path, true, key, err);
}

bool
odks_config_central_password(const struct odks_central_conf *central,
                             char **password, struct odks_err *err)
{
    *password = NULL;
    if (central->password_file != NULL) {
        if (odks_secret_read(central->password_file, password, err))
            return true;
        odks_err_context(err, "password_file of central \"%s\"", central->name);
        return false;
    }
    if (central->password != NULL) {
        *password = odks_xstrdup(central->password);
        return true;
    }
    odks_err_set(err, ODKS_EXIT_CONFIG,
                 "there is no password for central "
                 "\"%s\"",
                 central->name);
    odks_err_hint(err, "Set password_file in its section.");
    return false;
}

bool
odks_config_job_sql(const struct odks_job_conf *job, struct odks_buf *text,
                    struct odks_err *err)
{
    const char *wrong = NULL;

    if (job->sql_file == NULL) {
        if (odks_buf_add_str(text, job->sql))
            return true;
        wrong = "is too long";
    } else if (!odks_config_slurp(job->sql_file, text, NULL, err)) {
        odks_err_context(err, "sql_file of [job %s]", job->sync_type);
        return false;
    } else if (!drop_mark(text, job->sql_file, err)) {
        return false;
    } else if (text->len == 0) {
        wrong = "is empty";
    } else if (memchr(text->data, '\0', text->len) != NULL
               || !odks_is_utf8(text->data, text->len)) {
        wrong = "is not UTF-8 text";
    }
    if (wrong == NULL)
        return true;
    odks_err_set(err, ODKS_EXIT_CONFIG, "[job %s]: the SQL %s", job->sync_type,
                 wrong);
    return false;
}

/* The given parameters of libpq, in arrays that cfg owns. */
static size_t
libpq_params(struct odks_config *cfg, const struct odks_section *section,
             const char **keywords, const char **values)
{
    const struct odks_schema *schema = &cfg->schema[ODKS_SECTION_DATABASE];
    size_t n = 0;

    for (size_t i = 0; i < schema->count; i++) {
        if (schema->options[i].offset != ODKS_OPTION_NO_FIELD
            || section->values[i].text == NULL)
            continue;
        keywords[n] = schema->options[i].key;
        values[n++] = section->values[i].text;
    }
    return n;
}

bool
odks_config_db_conf(struct odks_config *cfg, const char *instance,
                    struct odks_db_conf *conf, struct odks_err *err)
{
    const struct odks_section *section =
        odks_config_section(cfg, ODKS_SECTION_DATABASE, "");
    const struct odks_database_part *part = &section->conf.database;
    size_t room = cfg->schema[ODKS_SECTION_DATABASE].count + 2;
    char *password = NULL;

    if (part->password_file != NULL
        && !odks_secret_read(part->password_file, &password, err)) {
        odks_err_context(err, "password_file of [database]");
        return false;
    }
    const char **keywords = odks_xcalloc(room, sizeof(keywords[0]));
    const char **values = odks_xcalloc(room, sizeof(values[0]));
    size_t n = libpq_params(cfg, section, keywords, values);
    odks_config_own(cfg, keywords, 0);
    odks_config_own(cfg, values, 0);
    if (password != NULL) {
        odks_config_own(cfg, password, strlen(password));
        keywords[n] = "password";
        values[n] = password;
    }
    *conf = (struct odks_db_conf){
        .keywords = keywords,
        .values = values,
        .tracking_schema = part->conf.tracking_schema,
        .instance = odks_config_keep(cfg, instance),
        .statement_timeout_s = (unsigned) part->conf.statement_timeout_s,
    };
    return true;
}
