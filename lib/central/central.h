/* lib/central/central.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * A session with an ODK Central.
 *
 * Logs in with the first request, again once when a request answers 401, never
 * again once that was refused, and logs out at the end. Error bodies become
 * messages with the exit code that fits and a hint; an answer that no Central
 * gives is code 76.
 */
#ifndef ODKS_CENTRAL_CENTRAL_H
#define ODKS_CENTRAL_CENTRAL_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "http/http.h"

struct odks_central; /* opaque */

struct odks_central_login {
    struct odks_http_conf http;
    const char *user;
    const char *password;
    int64_t max_row_bytes;
};

/*
 * No network yet; login must outlive *central, which the caller closes. One
 * answer at a time: while rows are open, nothing else may be asked.
 */
ODKS_MUST_CHECK bool odks_central_open(const struct odks_central_login *login,
                                       struct odks_central **central,
                                       struct odks_err *err);
/* Logs out, in a few seconds at most and without complaint. */
void odks_central_close(struct odks_central *central);
ODKS_DEFINE_CLEANUP(central, struct odks_central *, odks_central_close)
#define CLEANUP_CENTRAL CLEANUP(odks_cleanup_central)

const struct odks_http_stats *
odks_central_stats(const struct odks_central *central);

/*
 * GET target and hand out the body as JSON (16 MiB at most). date may be
 * NULL; else it gets the server's clock, ODKS_TIME_NONE if it tells none. The
 * caller puts *json.
 *
 * 77 for credentials or rights, 78 for a 404, 65 for a query that this Central
 * does not know, 76 for what no Central answers; beside those of http.h.
 */
ODKS_MUST_CHECK bool odks_central_get(struct odks_central *central,
                                      const char *target,
                                      struct json_object **json, int64_t *date,
                                      struct odks_err *err);

/* Central has rows of two things: forms and datasets (lists of entities). */
enum odks_feed { ODKS_FEED_FORM, ODKS_FEED_DATASET };

/* What they and their rows are called. */
struct odks_feed_names {
    const char *what; /* "form" */
    const char *row;  /* "submission" */
    const char *rows;
    const char *path;    /* in addresses: "forms" */
    const char *table;   /* of OData: "Submissions" */
    const char *created; /* in __system: "submissionDate" */
    const char *version; /* there, too: counts up with every edit */
};
const struct odks_feed_names *odks_feed_names(enum odks_feed feed);

/*
 * A form as published now, or a dataset; strings are "" where Central has
 * none, the version of a dataset is NULL.
 */
struct odks_form {
    char *id;
    char *name;
    char *version;
    char *hash; /* changes with every published version, or property */
    char *state;
    bool encrypted;
    int64_t date;    /* the server's clock when it answered */
    int64_t touched; /* of a dataset: the last of all that was done to it and
                        its entities; ODKS_TIME_NONE before v2025.1 */
};

ODKS_MUST_CHECK bool odks_central_form(struct odks_central *central,
                                       int64_t project, const char *form_id,
                                       struct odks_form *form,
                                       struct odks_err *err);
void odks_form_clear(struct odks_form *form);

/*
 * The forms of a project as Central lists them, an array of nothing but
 * objects (else 76); 78 if there is no such project. One without publishedAt
 * was never published: it has nothing to read. The caller puts *forms.
 */
ODKS_MUST_CHECK bool odks_central_forms(struct odks_central *central,
                                        int64_t project,
                                        struct json_object **forms,
                                        struct odks_err *err);

/*
 * The projects that the account can see, each with a number as its id, and the
 * datasets of one, likewise.
 */
ODKS_MUST_CHECK bool odks_central_projects(struct odks_central *central,
                                           struct json_object **projects,
                                           struct odks_err *err);
ODKS_MUST_CHECK bool odks_central_datasets(struct odks_central *central,
                                           int64_t project,
                                           struct json_object **datasets,
                                           struct odks_err *err);

enum odks_field_type {
    ODKS_FIELD_TEXT, /* string, barcode, select one, unknown */
    ODKS_FIELD_INT,
    ODKS_FIELD_DECIMAL,
    ODKS_FIELD_BOOLEAN,
    ODKS_FIELD_DATE,
    ODKS_FIELD_TIME,
    ODKS_FIELD_DATETIME,
    ODKS_FIELD_GEOPOINT,
    ODKS_FIELD_GEOTRACE,
    ODKS_FIELD_GEOSHAPE,
    ODKS_FIELD_BINARY,          /* a file name */
    ODKS_FIELD_SELECT_MULTIPLE, /* and rank: words with spaces between */
    ODKS_FIELD_GROUP,
    ODKS_FIELD_REPEAT,
    ODKS_FIELD_PLACE /* of a dataset: the text "lat lon alt acc", or several
                        of these with ; between */
};

/* A node of the form, as a tree under a nameless root of type GROUP. */
struct odks_field {
    char *name;  /* key in the rows that are stored; "" for the root */
    char *path;  /* as in the form: "/person_details/age"; "" for the root */
    char *key;   /* key in Central's OData, NULL: it is the name */
    char *odata; /* path as Central's OData has it, NULL: it is path */
    /*
     * OData gives several questions one key, and so only one of their answers:
     * it is in the XML of the submission alone. The name of such a field is the
     * one that the form gives it, of all others it is the key. Of a lost repeat
     * OData does not even have the rows; it may answer with an error when it is
     * asked for them.
     */
    bool is_shared, is_lost;
    enum odks_field_type type;
    struct odks_field **child; /* in form order */
    size_t child_count, child_size;
};

/*
 * The fields of the form's current version, in time proportional to their
 * number. A name that Central needs for itself is an error (65).
 */
ODKS_MUST_CHECK bool odks_central_fields(struct odks_central *central,
                                         int64_t project, const char *form_id,
                                         struct odks_field **root,
                                         struct odks_err *err);

/* Its path as Central's OData has it. */
const char *odks_field_odata(const struct odks_field *field);

/* A copy that the caller frees. */
struct odks_field *odks_field_copy(const struct odks_field *field);

/* Does any field have a key that is not its name? */
bool odks_field_has_key(const struct odks_field *root);
/* The first question or repeat that is shared, or that is lost; or NULL. */
const struct odks_field *odks_field_shared(const struct odks_field *root);
const struct odks_field *odks_field_lost(const struct odks_field *root);
/* Mark all fields as shared, so that they are read from the XML. */
void odks_field_share_all(struct odks_field *root);
void odks_field_free(struct odks_field *root);
ODKS_DEFINE_CLEANUP(field, struct odks_field *, odks_field_free)
#define CLEANUP_FIELD CLEANUP(odks_cleanup_field)

/*
 * A dataset, and its properties as fields of a form: all are text, but that
 * called geometry is a place. The caller frees both.
 */
ODKS_MUST_CHECK bool odks_central_dataset(struct odks_central *central,
                                          int64_t project, const char *name,
                                          struct odks_form *dataset,
                                          struct odks_field **properties,
                                          struct odks_err *err);

/*
 * When the deleted entities of a dataset were deleted, for a Central whose rows
 * do not say (some development versions of August 2026). The caller frees
 * *trash.
 */
struct odks_trash; /* opaque */
ODKS_MUST_CHECK bool odks_central_trash(struct odks_central *central,
                                        int64_t project, const char *name,
                                        struct odks_trash **trash,
                                        struct odks_err *err);
/* As Central wrote it, borrowed; NULL: it was not deleted. */
const char *odks_trash_find(const struct odks_trash *trash, const char *id);
void odks_trash_free(struct odks_trash *trash);

/* "/v1/projects/P/forms/F.svc/TABLE?OPTION=VALUE..."; values are encoded. */
struct odks_query {
    enum odks_feed feed;
    int64_t project;
    const char *form_id; /* or name of the dataset */
    const char *filter;  /* these are NULL or 0 where not wanted */
    const char *select;
    const char *orderby;
    bool expand;
    int64_t top; /* 0 or less: none */
    int64_t skip;
};

/*
 * How many rows the filter of query finds; without one deleted rows do not
 * count. Its other options have no say.
 */
ODKS_MUST_CHECK bool odks_central_count(struct odks_central *central,
                                        const struct odks_query *query,
                                        int64_t *count, struct odks_err *err);

/*
 * Central's tag of the submissions that query selects, a digest of what was
 * done to each of them: another one comes with every submission, edit, review,
 * deletion, restore and purge, but not with attachments, a published form or
 * the name of a submitter. It does not depend on select and expand.
 *
 * Given the tag of an earlier time (or NULL), *same says that it still holds.
 * Else *now is today's; NULL when this Central, older than v2026.1, has none.
 * The rows are not read. The caller frees *now.
 */
ODKS_MUST_CHECK bool odks_central_tag(struct odks_central *central,
                                      const struct odks_query *query,
                                      const char *tag, bool *same, char **now,
                                      struct odks_err *err);

struct odks_xml;

/*
 * Fetch the XML of a submission, in the version with that instanceID (NULL: the
 * current one). *xml is NULL if Central does not have it, for example because
 * it was deleted in the meantime. The caller frees it. 65: it is not XML, or
 * too long.
 */
ODKS_MUST_CHECK bool
odks_central_submission(struct odks_central *central, int64_t project,
                        const char *form_id, const char *id,
                        const char *instance_id, struct odks_xml **xml,
                        struct odks_err *err);

struct odks_rows; /* opaque */

/*
 * Open the feed of submissions or entities. Rows come one by one as the text of
 * a JSON object, next links are followed within the origin, and the end is only
 * reached when the footer was seen: all else is an error (69 for a body that
 * was cut short, 65 for one that is no OData).
 *
 * The text of a row is ready for PostgreSQL: valid UTF-8, no NUL and no lone
 * surrogate (U+FFFD instead), and integers of 19 digits or more end in "e0",
 * so that json-c keeps their digits. Strings and brackets are checked, the
 * rest of the grammar is left to whoever parses the row.
 *
 * Pages of entities skip rows: a dataset is to be read without top, in one
 * response. With top or skip no link is followed: the answer is all that was
 * asked for, and Central's link behind it is no sign of more.
 */
ODKS_MUST_CHECK bool odks_central_rows(struct odks_central *central,
                                       const struct odks_query *query,
                                       struct odks_rows **rows,
                                       struct odks_err *err);

/* The next row, NUL-terminated, valid until the next call; NULL at the end. */
ODKS_MUST_CHECK bool odks_rows_next(struct odks_rows *rows, const char **row,
                                    size_t *len, struct odks_err *err);
/* The tag of these rows, as odks_central_tag() has it; borrowed, or NULL. */
const char *odks_rows_tag(const struct odks_rows *rows);
void odks_rows_close(struct odks_rows *rows);
ODKS_DEFINE_CLEANUP(rows, struct odks_rows *, odks_rows_close)
#define CLEANUP_ROWS CLEANUP(odks_cleanup_rows)

#endif
