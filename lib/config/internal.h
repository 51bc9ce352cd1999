/* lib/config/internal.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of lib/config share.
 *
 * A configuration is an array of sections, and each section has one value per
 * option of its schema: a text with its origin. The file, the environment and
 * the flags only write texts; odks_config_finish() then turns them into the
 * structures of config.h.
 */
#ifndef ODKS_CONFIG_INTERNAL_H
#define ODKS_CONFIG_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "config/options.h"
#include "core/buf.h"
#include "core/cleanup.h"
#include "core/err.h"
#include "core/index.h"

enum {
    ODKS_CONFIG_FILE_MAX = 1 << 20, /* bytes of a configuration file */
    ODKS_CONFIG_VALUE_MAX = 1 << 16,
    ODKS_CONFIG_LINE_MAX = 198, /* inih cuts longer lines or refuses them */
    ODKS_CONFIG_HEADER_MAX = 49 /* and longer names of sections */
};

/* The structures of config.h with what only the loader needs. */
struct odks_database_part {
    struct odks_database_conf conf;
    const char *password_file;
};

struct odks_central_part {
    struct odks_central_conf conf;
    bool allow_http;
};

struct odks_job_part {
    struct odks_job_conf conf;
    const char *central_name;
    const char *like; /* a sync type or NULL */
};

union odks_section_conf {
    struct odks_run_conf run;
    struct odks_database_part database;
    struct odks_central_part central;
    struct odks_job_part job;
};

struct odks_value {
    const char *text;     /* NULL: not given, no default */
    const char *origin;   /* "odk-sync.ini:3", "environment X", "flag --x" */
    const char *variable; /* of the environment that holds it, or NULL */
    bool from_flag;
};

struct odks_section {
    enum odks_option_section kind;
    const char *name;          /* "" in [odk-sync] and [database] */
    const char *title;         /* "[job x]" */
    const char *origin;        /* "odk-sync.ini:3" */
    struct odks_value *values; /* one per option of the schema */
    union odks_section_conf conf;
};

/* Sections in the order of the file. */
struct odks_sections {
    struct odks_section **section;
    size_t count;
};

/* The options of one kind of section. */
struct odks_schema {
    const struct odks_option *options;
    size_t count;
};

struct odks_owned {
    void *p;
    size_t len; /* bytes to wipe before free() */
};

struct odks_remark {
    const char *text;
    bool urgent;
};

struct odks_config {
    const char *file;    /* NULL: from the environment alone */
    bool world_readable; /* the file */
    struct odks_schema schema[ODKS_SECTION_COUNT];
    struct odks_sections all; /* owned */
    struct odks_sections of_kind[ODKS_SECTION_COUNT];
    struct odks_index by_name[ODKS_SECTION_COUNT]; /* in of_kind */
    struct odks_owned *owned;
    size_t owned_count;
    struct odks_remark *remarks;
    size_t remark_count;
    void *libpq;                   /* PQconninfoOption *, the labels */
    const char **secret_variables; /* names; NULL-terminated */
    size_t secret_variable_count;
    struct odks_option *database; /* options of [database], libpq's included */
};

/* config.c: the sections */

struct odks_config *odks_config_new(void);

/* Let cfg free p, of len bytes, and wipe it then. */
void odks_config_own(struct odks_config *cfg, void *p, size_t len);
const char *odks_config_keep(struct odks_config *cfg, const char *s);

/* name is "" for [odk-sync] and [database]. Never fails. */
struct odks_section *odks_config_add_section(struct odks_config *cfg,
                                             enum odks_option_section kind,
                                             const char *name,
                                             const char *origin);
/* NULL if there is none of that name. */
struct odks_section *odks_config_section(const struct odks_config *cfg,
                                         enum odks_option_section kind,
                                         const char *name);
void odks_config_remove_section(struct odks_config *cfg,
                                struct odks_section *section);
/* NULL if the schema of the section has no such key. */
struct odks_value *odks_config_value(const struct odks_config *cfg,
                                     const struct odks_section *section,
                                     const char *key);
const struct odks_option *odks_config_option(const struct odks_config *cfg,
                                             enum odks_option_section kind,
                                             const char *key);

/* Set the text of a value, if it is fit for one; origin is copied. */
ODKS_MUST_CHECK bool odks_config_set(struct odks_config *cfg,
                                     struct odks_section *section,
                                     const struct odks_option *option,
                                     const char *text, const char *origin,
                                     struct odks_err *err);

/* What the user should know of the settings, though nothing is wrong. */
void odks_config_remark(struct odks_config *cfg, bool urgent, const char *fmt,
                        ...) ODKS_PRINTF(3, 4);

/* load.c: does a file that nobody named belong to root or to us? Else 77. */
ODKS_MUST_CHECK bool odks_config_is_trusted(const char *path,
                                            struct odks_err *err);

/*
 * environment.c: every variable ODK_SYNC_* must be the name of an option in a
 * section that exists, or one of the few others. Else 78: a mistyped rule of
 * privacy would otherwise have no effect.
 */
ODKS_MUST_CHECK bool
odks_config_check_environment(const struct odks_config *cfg,
                              struct odks_err *err);

/* ini.c: the text of a file */

struct odks_ini_entry {
    char *section; /* between the brackets; "" before the first */
    char *key;     /* NULL: the header itself */
    char *value;   /* continuation lines joined with a space; not expanded */
    int line;
};

struct odks_ini {
    struct odks_ini_entry *entries;
    size_t count;
};

/* name is that of the file, for messages. */
ODKS_MUST_CHECK bool odks_ini_parse(const struct odks_buf *text,
                                    const char *name, struct odks_ini *ini,
                                    struct odks_err *err);
void odks_ini_free(struct odks_ini *ini);
#define CLEANUP_INI CLEANUP(odks_ini_free)

/* Would this continuation line be taken for a forgotten key? */
bool odks_ini_looks_like_key(const char *line);

/* load.c */

/*
 * odks_config_load() with another file in place of the one in /etc: tests must
 * not read that of the machine.
 */
ODKS_MUST_CHECK bool
odks_config_load_from(const char *path, const char *system_wide,
                      const struct odks_config_flag *flags, size_t flag_count,
                      struct odks_config **cfg, struct odks_err *err);

/* libpq.c */

/* What libpq takes from its own environment where the file says nothing. */
struct odks_value odks_config_libpq_value(const struct odks_config *cfg,
                                          const struct odks_option *option,
                                          char origin[80]);

/*
 * Is there a connection string in the place of a parameter of libpq? It would
 * not work, and the password in it would be shown.
 */
ODKS_MUST_CHECK bool odks_config_check_libpq(const struct odks_config *cfg,
                                             const struct odks_section *section,
                                             struct odks_err *err);

/* Must the value be masked? */
bool odks_config_is_secret(const struct odks_option *option, const char *text);

/* Keep the name of a variable from which a secret was read. */
void odks_config_add_secret_variable(struct odks_config *cfg, const char *name);

/* text.c */

bool odks_text_has_control(const char *s);
/* Does s contain a character that odks_print() escapes? */
bool odks_text_has_hidden(const char *s);

/*
 * A form id, or the name of a dataset, as people write it. Text without a space
 * in which every % begins a %XX, and whose decoding is UTF-8, is decoded; all
 * other text is taken as it is. So an id that holds "%20" itself is written
 * "%2520". The caller frees the result.
 */
char *odks_text_decode_form(const char *text);

/*
 * Replace ${NAME} from the environment and $${ by ${. *bare: some of the
 * result stood in the text itself.
 */
ODKS_MUST_CHECK bool odks_text_expand(const char *text, struct odks_buf *out,
                                      bool *bare, struct odks_err *err);

/* value.c: texts into structures, by the table */

ODKS_MUST_CHECK bool odks_config_parse_value(struct odks_config *cfg,
                                             struct odks_section *section,
                                             const struct odks_option *option,
                                             struct odks_err *err);

/* file.c: a file into sections */

ODKS_MUST_CHECK bool odks_config_read_file(struct odks_config *cfg,
                                           const char *path,
                                           struct odks_err *err);

/*
 * Cut "job x" into kind and name (in place; "" for none). False: that is no
 * section, and message (one line) and a suggestion (or NULL) say why.
 */
ODKS_MUST_CHECK bool odks_config_split_header(char *header,
                                              enum odks_option_section *kind,
                                              const char **name,
                                              const char **message,
                                              const char **suggestion);

/* dotenv.c: a .env file as python-dotenv reads it */

struct odks_dotenv_entry {
    char *name;
    char *value; /* NULL: not set, whatever stands before */
    int line;
};

struct odks_dotenv {
    char *path; /* NULL: there is none */
    struct odks_dotenv_entry *entries;
    size_t count;
};

/*
 * Add what text sets to env. The line of the first statement that cannot be
 * understood, and is left out as python-dotenv does; 0 if there is none.
 */
int odks_dotenv_parse(const char *text, struct odks_dotenv *env);

/* The last value of a name, borrowed, or NULL; line may be NULL. */
const char *odks_dotenv_get(const struct odks_dotenv *env, const char *name,
                            int *line);
void odks_dotenv_clear(struct odks_dotenv *env);
#define CLEANUP_DOTENV CLEANUP(odks_dotenv_clear)

/*
 * legacy.c: the variables of the old service, and its .env, into sections;
 * *found: any?
 */
ODKS_MUST_CHECK bool odks_config_read_legacy(struct odks_config *cfg,
                                             bool *found, struct odks_err *err);

/* like.c: give each job what it takes from another, once files and
 * environment are read. */
ODKS_MUST_CHECK bool odks_config_inherit(struct odks_config *cfg,
                                         struct odks_err *err);

/* url.c: check and shorten the address of a Central; the caller frees it. */
ODKS_MUST_CHECK bool odks_config_url(const char *text, bool allow_http,
                                     char **url, struct odks_err *err);

/* check.c: the rules between values */

/* Is a key of [job] of use to that kind of job? */
bool odks_config_kind_takes(const char *kind, const char *key);

/* Is a key of use to this kind of section and, of a job, to its kind? */
bool odks_config_applies(const struct odks_section *section, const char *key);

ODKS_MUST_CHECK bool odks_config_check(struct odks_config *cfg,
                                       struct odks_err *err);

/* The privacy rules of a job, as far as no form is needed for it. */
ODKS_MUST_CHECK bool
odks_config_check_privacy(const struct odks_config *cfg,
                          const struct odks_section *section,
                          struct odks_err *err);

/*
 * shared.c: jobs that fill the same table have the same privacy rules and store
 * the same rows: else each would undo what the other did, or take for stored
 * what it did not look at.
 */
ODKS_MUST_CHECK bool odks_config_check_shared(const struct odks_config *cfg,
                                              struct odks_err *err);

/*
 * secret.c: the content of a password file, without a byte order mark; the
 * caller wipes and frees it.
 */
ODKS_MUST_CHECK bool odks_secret_read(const char *path, char **secret,
                                      struct odks_err *err);
/* The same of a file with a key, whose bytes all count. */
ODKS_MUST_CHECK bool odks_secret_read_key(const char *path, char **key,
                                          struct odks_err *err);

/*
 * Read at most max bytes of a file into b (66 missing, 77 not allowed, 78 too
 * long or writable by everybody); *world_readable may be NULL.
 */
ODKS_MUST_CHECK bool odks_config_slurp(const char *path, struct odks_buf *b,
                                       bool *world_readable,
                                       struct odks_err *err);

#endif
