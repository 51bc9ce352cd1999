/* lib/config/legacy.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * The variables of the service that odk-sync replaces: without any file, its
 * environment still runs its form under its two sync types. What the
 * environment leaves open its .env file may say, in this directory or one
 * above it.
 */
#include <config.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/internal.h"
#include "core/mem.h"

#define LEGACY "environment (ODK_BASE_URL)"

struct legacy {
    struct odks_config *cfg;
    struct odks_dotenv file;
};

/* A variable that is there and empty hides that of the file, and is none. */
static const char *
variable(const struct legacy *l, const char *name, int *line)
{
    const char *value = getenv(name);

    *line = 0;
    if (value == NULL)
        value = odks_dotenv_get(&l->file, name, line);
    return value != NULL && *value != '\0' ? value : NULL;
}

static bool
has(const struct legacy *l, const char *name)
{
    int line;

    return variable(l, name, &line) != NULL;
}

static bool
set(const struct legacy *l, struct odks_section *section, const char *key,
    const char *text, const char *origin, struct odks_err *err)
{
    return odks_config_set(l->cfg, section,
                           odks_config_option(l->cfg, section->kind, key), text,
                           origin, err);
}

static bool
set_from(const struct legacy *l, struct odks_section *section, const char *key,
         const char *name, struct odks_err *err)
{
    int line;
    const char *value = variable(l, name, &line);

    if (value != NULL) {
        CLEANUP_FREE char *origin =
            line == 0 ? odks_xasprintf("environment %s", name)
                      : odks_xasprintf("%s:%d", l->file.path, line);

        if (!set(l, section, key, value, origin, err))
            return false;
        odks_config_value(l->cfg, section, key)->variable = name;
        return true;
    }
    odks_err_set(err, ODKS_EXIT_CONFIG,
                 "the environment variable %s is not set", name);
    odks_err_hint(err, "Without a configuration file ODK_BASE_URL, "
                       "ODK_PROJECT_ID, ODK_FORM_ID, ODATA_USER and ODATA_PASS "
                       "are needed.");
    return false;
}

/*
 * The old service's defaults stand in unless libpq's own variables say
 * something; its default password does not, so that ~/.pgpass can.
 */
static bool
read_database(const struct legacy *l, struct odks_err *err)
{
    static const struct {
        const char *key, *name, *libpq, *otherwise;
    } keys[] = {
        { "host", "PG_HOST", "PGHOST", "localhost" },
        { "port", "PG_PORT", "PGPORT", "5432" },
        { "dbname", "PG_DB", "PGDATABASE", "postgres" },
        { "user", "PG_USER", "PGUSER", "postgres" },
        { "password", "PG_PASS", NULL, NULL },
    };
    struct odks_section *section =
        odks_config_add_section(l->cfg, ODKS_SECTION_DATABASE, "", LEGACY);

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *libpq =
            keys[i].libpq != NULL ? getenv(keys[i].libpq) : NULL;
        bool done = true;

        if (has(l, keys[i].name))
            done = set_from(l, section, keys[i].key, keys[i].name, err);
        else if (keys[i].otherwise != NULL && (libpq == NULL || *libpq == '\0'))
            done = set(l, section, keys[i].key, keys[i].otherwise, LEGACY, err);
        if (!done)
            return false;
    }
    return true;
}

static bool
read_central(const struct legacy *l, struct odks_err *err)
{
    struct odks_section *section = odks_config_add_section(
        l->cfg, ODKS_SECTION_CENTRAL, "central", LEGACY);

    return set_from(l, section, "url", "ODK_BASE_URL", err)
           && set_from(l, section, "user", "ODATA_USER", err)
           && set_from(l, section, "password", "ODATA_PASS", err);
}

static bool
read_job(const struct legacy *l, const char *name, const char *tables,
         const char *after, struct odks_err *err)
{
    struct odks_section *section =
        odks_config_add_section(l->cfg, ODKS_SECTION_JOB, name, LEGACY);

    return set(l, section, "kind", "submissions", LEGACY, err)
           && set_from(l, section, "project", "ODK_PROJECT_ID", err)
           && set_from(l, section, "form", "ODK_FORM_ID", err)
           && set(l, section, "tables", tables, LEGACY, err)
           && (after == NULL || set(l, section, "after", after, LEGACY, err));
}

/* The first .env from here upwards; NULL if there is none. */
static char *
find_file(void)
{
    char *dir = getcwd(NULL, 0);

    while (dir != NULL) {
        struct stat st;
        char *slash = strrchr(dir, '/');
        char *path =
            odks_xasprintf("%s/.env", strcmp(dir, "/") == 0 ? "" : dir);

        if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
            free(dir);
            return path;
        }
        free(path);
        if (slash == NULL || strcmp(dir, "/") == 0)
            break;
        slash[slash == dir ? 1 : 0] = '\0';
    }
    free(dir);
    return NULL;
}

static void
wipe_buf(struct odks_buf *b)
{
    if (b->data != NULL)
        explicit_bzero(b->data, b->size);
    odks_buf_free(b);
}

static void
remark_on_file(struct legacy *l, bool world_readable, int wrong)
{
    if (world_readable)
        odks_config_remark(l->cfg, true,
                           "%s can be read by everybody, and passwords may "
                           "stand in it: chmod o-r %s",
                           l->file.path, l->file.path);
    if (wrong != 0)
        odks_config_remark(l->cfg, true, "%s:%d is not understood and left out",
                           l->file.path, wrong);
}

/* One that nobody named must not come from just anybody. */
static bool
read_file(struct legacy *l, struct odks_err *err)
{
    CLEANUP(wipe_buf) struct odks_buf b = ODKS_BUF_INIT(ODKS_CONFIG_FILE_MAX);
    CLEANUP_FREE char *path = find_file();
    bool world_readable = false;

    if (path == NULL)
        return true;
    if (!odks_config_is_trusted(path, err)) {
        odks_err_hint(err, "Let it belong to the user that runs odk-sync, or "
                           "set its variables yourself.");
        return false;
    }
    if (!odks_config_slurp(path, &b, &world_readable, err))
        return false;
    if (b.len > 0 && memchr(b.data, '\0', b.len) != NULL) {
        odks_err_set(err, ODKS_EXIT_CONFIG, "%s holds a NUL byte", path);
        return false;
    }
    l->file.path = odks_steal(&path);
    int wrong = odks_dotenv_parse(b.len > 0 ? b.data : "", &l->file);
    if (has(l, "ODK_BASE_URL"))
        remark_on_file(l, world_readable, wrong);
    return true;
}

/* Settings of the old service that have no place here, and what to do. */
static const struct {
    const char *names; /* with a space around each; a * ends a beginning */
    const char *instead;
} unused[] = {
    { " SYNC_INTERVAL ", "a run does what is due and ends: start it by cron, "
                         "a timer or a CronJob" },
    { " MAX_WORKERS PRIORITIZE_NEW ",
      "a form is read in one response, with nothing to divide" },
    { " AWS_ACCESS_KEY_ID AWS_ACCESS_KEY AWS_SECRET_ACCESS_KEY AWS_SECRET_KEY "
      "AWS_BUCKET_NAME AWS_DEFAULT_REGION AWS_REGION S3_BASE_FOLDER ",
      "attachments are not copied to S3" },
    { " URL_REFRESH_THRESHOLD_HOURS ENABLE_URL_REFRESH ",
      "no signed addresses are made, so none expire" },
    { " POSTGRES_* ", "Compose hands them to the old service as PG_*: "
                      "hand those to odk-sync, too" },
    { " PYTHONUNBUFFERED SUPERSET_* ", "they are for other programs" },
};
enum { UNUSED = sizeof(unused) / sizeof(unused[0]) };

static bool
is_listed(const char *names, const char *name, size_t len)
{
    for (const char *s = names + 1; *s != '\0'; s += strcspn(s, " ") + 1) {
        size_t n = strcspn(s, " *");

        if (strncmp(s, name, n) == 0 && (s[n] == '*' ? len > n : len == n))
            return true;
    }
    return false;
}

/* Add name, of len bytes, to list unless it is there. */
static void
note(struct odks_buf *list, const char *name, size_t len)
{
    CLEANUP_FREE char *word = odks_xasprintf(" %.*s,", (int) len, name);

    if (list->data == NULL || strstr(list->data, word) == NULL)
        (void) !odks_buf_add_str(list, word);
}

static void
remark_on_unused(const struct legacy *l)
{
    for (size_t i = 0; i < UNUSED; i++) {
        CLEANUP_BUF struct odks_buf list = ODKS_BUF_INIT(4096);

        for (char **e = environ; e != NULL && *e != NULL; e++) {
            size_t len = strcspn(*e, "=");

            if (is_listed(unused[i].names, *e, len))
                note(&list, *e, len);
        }
        for (size_t j = 0; j < l->file.count; j++) {
            const char *name = l->file.entries[j].name;

            if (is_listed(unused[i].names, name, strlen(name)))
                note(&list, name, strlen(name));
        }
        if (list.len > 0)
            odks_config_remark(l->cfg, false, "not used:%.*s: %s",
                               (int) list.len - 1, list.data,
                               unused[i].instead);
    }
}

static void
clear_legacy(struct legacy *l)
{
    odks_dotenv_clear(&l->file);
}

bool
odks_config_read_legacy(struct odks_config *cfg, bool *found,
                        struct odks_err *err)
{
    CLEANUP(clear_legacy) struct legacy l = { .cfg = cfg };

    *found = false;
    if (!read_file(&l, err)) {
        if (getenv("ODK_BASE_URL") == NULL)
            return false;
        odks_config_remark(cfg, true, "not read: %s", err->message);
        odks_err_clear(err);
    }
    *found = has(&l, "ODK_BASE_URL");
    if (!*found)
        return true;
    remark_on_unused(&l);
    return read_database(&l, err) && read_central(&l, err)
           && read_job(&l, "main_submissions", "Submissions", NULL, err)
           && read_job(&l, "person_details", "Submissions.person_details",
                       "main_submissions", err);
}
