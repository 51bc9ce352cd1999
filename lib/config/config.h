/* lib/config/config.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: one table of options (options.def) from which the INI
 * reader, the environment names, the flags, `odk-sync config`, the example
 * file and the manual page are made. Flags win over the environment, that over
 * the file, that over the defaults.
 */
#ifndef ODKS_CONFIG_CONFIG_H
#define ODKS_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "db/db.h"

struct odks_config; /* opaque */
struct odks_err;

/* [odk-sync]: the program itself. */
struct odks_run_conf {
    enum odks_log_level log_level;
    enum odks_log_format log_format;
    int64_t max_time_s;   /* of a run; 0: none */
    int64_t lease_s;      /* of a claim */
    int64_t history_days; /* kept in odk_sync_history */
};

/* [database] beside the parameters of libpq. */
struct odks_database_conf {
    const char *schema;          /* of form tables */
    const char *tracking_schema; /* of odk_sync_* */
    int64_t statement_timeout_s;
    int64_t lock_wait_s; /* for tables that others read */
};

/* [central] (name "central") or [central NAME]. */
struct odks_central_conf {
    const char *name;
    const char *url; /* no slash at the end */
    const char *user;
    const char *password_file; /* or password; NULL: not given */
    const char *password;
    const char *ca_file; /* NULL: the system's */
    int64_t timeout_s;   /* to connect, and for the first byte */
    int64_t stall_s;     /* without any byte in mid-response */
    int64_t retry_s;     /* longest time spent on trying a request again */
    int64_t max_row_bytes;
};

enum odks_on_delete { ODKS_DELETE_SOFT, ODKS_DELETE_HARD, ODKS_DELETE_KEEP };

/* [job NAME] */
struct odks_job_conf {
    const char *sync_type; /* NAME, 1..50 bytes */
    const char *kind;
    const struct odks_central_conf *central;
    int64_t project;
    const char *form;    /* xmlFormId, decoded */
    bool all_forms;      /* form = *: all of the project */
    const char *dataset; /* of kind entities, instead of form; else NULL */
    const char *const *include; /* patterns of form ids, for "*", or NULL */
    const char *const *exclude;
    const char *form_of; /* sync type of the "*" that this form is one of, or
                            NULL: it is in the file */
    const char *const *tables; /* NULL-terminated; NULL: all of the form */
    const char *table;         /* of the form; NULL: from its id */
    const char *schema;        /* of the tables */
    const char *schedule;      /* cron expression or NULL */
    int64_t every_s;           /* or 0 */
    const char *timezone;      /* of schedule and of times without a zone */
    const char *after;         /* a sync type or NULL */
    int64_t overlap_s;
    int64_t reconcile_s; /* 0: only when counts differ */
    enum odks_on_delete on_delete;
    int64_t attachments_age_s; /* until late attachments are given up */
    bool raw;                  /* keep _raw */
    const char *const *drop;   /* privacy rules, or NULL */
    const char *const *hash;
    const char *hash_key_file; /* see odks_config_hash_key() */
    const char *const *coarsen;
    bool labels;                       /* in comments and views */
    const char *const *languages;      /* of the labels; NULL: all */
    const char *const *parent_columns; /* in views of repeats, or NULL */
    int64_t window_rows; /* submissions per response of a first walk */
    int64_t batch_bytes; /* of row text per transaction */
    int64_t priority;    /* lower first */
    int64_t max_failures;
    int64_t max_rejects;   /* 0: no limit */
    int64_t max_runtime_s; /* of a command or SQL; 0: no limit of its own */
    const char *command;   /* for /bin/sh */
    const char *sql;       /* or */
    const char *sql_file;  /* see odks_config_job_sql() */
    /* Of odk-sync exec, NULL-terminated, instead of command. */
    const char *const *argv;
};

/* One value given on the command line: "odk-sync", "max_time", "10m". */
struct odks_config_flag {
    const char *section; /* as in its header: "job x" */
    const char *key;
    const char *value;
};

/*
 * Load and check everything but the secrets. path is that of --config or NULL:
 * then $ODK_SYNC_CONFIG, ./odk-sync.ini, /etc/odk-sync/odk-sync.ini, else the
 * variables of the old service, else exit code 78. The caller owns *cfg.
 */
ODKS_MUST_CHECK bool odks_config_load(const char *path,
                                      const struct odks_config_flag *flags,
                                      size_t flag_count,
                                      struct odks_config **cfg,
                                      struct odks_err *err);

/* The same from the variables of the old service and its .env alone. */
ODKS_MUST_CHECK bool
odks_config_load_legacy(const struct odks_config_flag *flags, size_t flag_count,
                        struct odks_config **cfg, struct odks_err *err);
void odks_config_free(struct odks_config *cfg);
ODKS_DEFINE_CLEANUP(config, struct odks_config *, odks_config_free)
#define CLEANUP_CONFIG CLEANUP(odks_cleanup_config)

/* All borrowed from cfg. */
const struct odks_run_conf *odks_config_run(const struct odks_config *cfg);
const struct odks_database_conf *
odks_config_database(const struct odks_config *cfg);
size_t odks_config_job_count(const struct odks_config *cfg);
const struct odks_job_conf *odks_config_job(const struct odks_config *cfg,
                                            size_t i);
/* By sync type; NULL with err set (64, did-you-mean) if there is none. */
const struct odks_job_conf *odks_config_find_job(const struct odks_config *cfg,
                                                 const char *sync_type,
                                                 struct odks_err *err);

/* Does this job stand for all forms of its project? */
bool odks_config_is_pattern(const struct odks_job_conf *job);

/*
 * Is a form of its project one that the "*" of job stands for? Not if its
 * patterns say otherwise, or if the form has a section of its own.
 */
bool odks_config_wants_form(const struct odks_config *cfg,
                            const struct odks_job_conf *job,
                            const char *form_id);

/*
 * Add a job for one form of a "*": with the settings of that job, due when
 * that is done. Other jobs stay where they are. Removing one ends what was
 * borrowed of it.
 */
void odks_config_add_form(struct odks_config *cfg,
                          const struct odks_job_conf *job,
                          const char *sync_type, const char *form_id);
void odks_config_remove_form(struct odks_config *cfg, const char *sync_type);

enum { ODKS_CONFIG_DIGEST = 17 };

/*
 * A digest of what is in force for a job of the configuration: its section and
 * that of its Central, without secrets, and a few keys of [database]. Files
 * that they name are not read. Another digest means other settings.
 */
void odks_config_digest(const struct odks_config *cfg,
                        const struct odks_job_conf *job,
                        char digest[ODKS_CONFIG_DIGEST]);

size_t odks_config_central_count(const struct odks_config *cfg);
const struct odks_central_conf *
odks_config_central(const struct odks_config *cfg, size_t i);

/*
 * Fill conf for odks_db_connect(): libpq's parameters from [database] with the
 * password read from password_file. What conf points to belongs to cfg.
 */
ODKS_MUST_CHECK bool odks_config_db_conf(struct odks_config *cfg,
                                         const char *instance,
                                         struct odks_db_conf *conf,
                                         struct odks_err *err);

/* The password for a Central, read now; the caller frees *password. */
ODKS_MUST_CHECK bool
odks_config_central_password(const struct odks_central_conf *central,
                             char **password, struct odks_err *err);

/* The key of hash, NULL without such rules; the caller frees *key. */
ODKS_MUST_CHECK bool odks_config_hash_key(const struct odks_job_conf *job,
                                          char **key, struct odks_err *err);

/*
 * Take an item of coarsen apart: its name has name_len bytes, *to is "year",
 * "month", "day" or a number of decimals. False: it is none.
 */
bool odks_config_coarsen(const char *item, size_t *name_len, const char **to);

/* Is that a system value for which a job may have rules? */
bool odks_config_is_system(const struct odks_job_conf *job, const char *name,
                           size_t len);

/*
 * What the user should know though nothing is wrong: settings of the old
 * service that are not used. urgent: every time. All borrowed.
 */
size_t odks_config_remark_count(const struct odks_config *cfg);
const char *odks_config_remark_text(const struct odks_config *cfg, size_t i,
                                    bool *urgent);
enum { ODKS_CONFIG_SQL_MAX = 1 << 20 };

/* The SQL of a job of kind sql, from its value or its file, into text. */
ODKS_MUST_CHECK bool odks_config_job_sql(const struct odks_job_conf *job,
                                         struct odks_buf *text,
                                         struct odks_err *err);

/* Every value in force with where it comes from; secrets as "***". */
void odks_config_print(const struct odks_config *cfg, bool json, FILE *out);

/*
 * The names of the environment variables that hold passwords of odk-sync,
 * NULL-terminated: other programs must not inherit them.
 */
const char *const *odks_config_secret_variables(const struct odks_config *cfg);

/*
 * Write "key = text", in several lines if it is long, so that it is read back
 * as the same text. False if that is not possible, as with control characters;
 * nothing is written then.
 */
ODKS_MUST_CHECK bool odks_config_print_value(const char *key, const char *text,
                                             FILE *out);

/*
 * The id of a form or dataset, in UTF-8, as a value that the file can contain,
 * that is not read as a comment, variable or pattern, and in which every
 * character can be seen. The caller frees it.
 */
char *odks_config_encode_id(const char *id);

/* The same for the id of a form or dataset, which may contain any character. */
ODKS_MUST_CHECK bool odks_config_print_id(const char *key, const char *id,
                                          FILE *out);

/* Write a comment, cut where a line of the file would end. */
void odks_config_print_comment(FILE *out, const char *fmt, ...)
    ODKS_PRINTF(2, 3);

/* Bytes: the name of a [job] section (a header may have 49), and an id. */
enum { ODKS_CONFIG_JOB_MAX = 45, ODKS_CONFIG_ID_MAX = 1024 };

/*
 * The same configuration as a file to be used; secrets stay in the variables
 * that they came from.
 */
void odks_config_print_file(const struct odks_config *cfg, FILE *out);

#endif
