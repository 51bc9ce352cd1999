/* tests/contract/standin.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared declarations of the stand-in Central: an HTTP server that answers
 * as ODK Central does, and misbehaves on request.
 *
 * Threads: one per connection.  Everything reachable from struct sc_server
 * is guarded by its lock, except form versions, which never change once
 * published, and revisions, which are immutable and reference counted.
 */
#ifndef ODKS_STANDIN_H
#define ODKS_STANDIN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/json.h"

#define SC_NONE INT64_MIN /* a timestamp that is null */
#define SC_ID_MAX 1024

/* A growing byte buffer; out of memory ends the program. */
struct sc_buf {
    char *p;
    size_t len, cap;
};

/* text.c */
void *sc_alloc(size_t n); /* zeroed */
char *sc_dup(const char *s);
void sc_buf_reserve(struct sc_buf *b, size_t n);
void sc_buf_put(struct sc_buf *b, const void *data, size_t n);
void sc_buf_str(struct sc_buf *b, const char *s);
void sc_buf_fmt(struct sc_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void sc_buf_json(struct sc_buf *b, const char *s); /* quoted, or null */
void sc_buf_time(struct sc_buf *b, int64_t ms);    /* quoted, or null */
void sc_buf_component(struct sc_buf *b, const char *s);
void sc_buf_form(struct sc_buf *b, const char *s);
void sc_buf_free(struct sc_buf *b);
char *sc_unescape(const char *s, size_t n, bool plus);
void sc_time_text(int64_t ms, char out[25]);
void sc_time_http(int64_t ms, char out[40]);
bool sc_time_parse(const char *s, int64_t *us);
void sc_sanitise(const char *raw, struct sc_buf *out);

/* hash.c */
void sc_sha1(const void *data, size_t n, unsigned char out[20]);
void sc_sha1_hex(const void *data, size_t n, char out[41]);
void sc_md5_hex(const void *data, size_t n, char out[33]);
void sc_base64(const void *data, size_t n, struct sc_buf *out);
bool sc_unbase64(const char *s, struct sc_buf *out);
uint64_t sc_mix(uint64_t x);
void sc_uuid(uint64_t seed, uint64_t low, char out[42]);

/* A field of a form; the root of the tree has no name. */
enum sc_type {
    SC_STRING,
    SC_INT,
    SC_DECIMAL,
    SC_BOOLEAN,
    SC_DATE,
    SC_TIME,
    SC_DATETIME,
    SC_GEOPOINT,
    SC_GEOTRACE,
    SC_GEOSHAPE,
    SC_BARCODE,
    SC_BINARY,
    SC_STRUCTURE,
    SC_REPEAT,
    SC_UNKNOWN,
    SC_RANK,
};

struct sc_field {
    char *raw, *name;
    enum sc_type type;
    bool select, multiple;
    bool shadowed; /* a later sibling has the same sanitised name */
    struct sc_field *parent;
    struct sc_field **kids;
    size_t nkids, index;
};

struct sc_version {
    char *name, *title;
    char *xml; /* as it was published, or NULL */
    char hash[33], sha[41], sha256[65];
    int64_t published;
    struct sc_field *root;
    size_t nfields;
};

enum sc_source { SC_FROM_TEXT, SC_FROM_SEED, SC_FROM_BULK };

/* One state of a submission, as a reader may see it. */
struct sc_rev {
    enum sc_source source;
    char *text; /* data as JSON, SC_FROM_TEXT only */
    uint64_t seed;
    char *id, *instance_id;
    int64_t rowid, created, updated, deleted;
    uint64_t event;
    int edits, present, expected, submitter;
    const char *review, *status;
    char *submitter_name, *device, *form_version;
    const struct sc_version *made_with; /* the version of its data */
    const struct sc_form *form;         /* SC_FROM_BULK: seed is the row */
    unsigned refs; /* atomic; last, so that a copy can leave it out */
};

struct sc_file {
    char *name;
    struct sc_buf content;
};

struct sc_sub {
    struct sc_rev *cur;     /* NULL while its first commit is held */
    struct sc_rev *pending; /* held: waits for release */
    struct sc_file *files;
    size_t nfiles;
    int64_t bulk; /* index it stands in for, or -1 */
    bool purged;
};

/* A form, or a dataset: its properties are fields, entities submissions. */
struct sc_form {
    int project;
    char *id;
    bool dataset;
    bool deleted, encrypted;
    const char *state;
    int64_t created, updated, touched, held; /* lastUpdate; a later one */
    struct sc_version **versions;            /* oldest first */
    size_t nversions;
    struct sc_sub **subs; /* by (created, rowid), once sorted */
    size_t nsubs, capsubs;
    bool unsorted;
    struct sc_sub **byid; /* open addressing, power of two */
    size_t nbyid;
    uint64_t bulk_n;
    int64_t bulk_first, bulk_step;
    unsigned char *bulk_gone; /* bit set: replaced or purged */
    size_t bulk_ngone;
    int64_t next_rowid;
};

struct sc_session {
    char token[65];
    const struct sc_user *user;
    int64_t created, expires;
};

struct sc_user {
    const char *mail, *password, *name;
    int id;
    bool reads, admin;
};

struct sc_rule {
    char *match;
    bool at_end; /* of the address */
    int64_t times, skip;
    struct json_object *action;
};

struct sc_logged {
    char *method, *path, *if_none_match;
    int status;
    uint64_t bytes;
    bool complete;
    int64_t at;
};

struct sc_server {
    pthread_mutex_t lock;
    struct sc_form **forms;
    size_t nforms;
    struct sc_form **graves; /* of earlier resets; responses may use them */
    size_t ngraves;
    struct sc_session *sessions;
    size_t nsessions;
    struct sc_rule *rules;
    size_t nrules;
    struct sc_logged *log;
    size_t nlog, caplog;
    unsigned long total, logins;
    unsigned inflight;
    uint64_t next_event, next_seed;
    int64_t clock_set, clock_offset; /* set: frozen at, or SC_NONE */
    char *domain;                    /* origin of the links */
    uint64_t seed_bulk;
    unsigned rate, latency_ms;
    bool gzip, tls, untagged;
    bool one_tag, mute_trash; /* as v2026.1.0; as August 2026 */
    _Atomic int stopping;
};

/* store.c */
int64_t sc_now(struct sc_server *s);
struct sc_form *sc_form_find(struct sc_server *s, int project, const char *id);
struct sc_form *sc_dataset_find(struct sc_server *s, int project,
                                const char *name);
struct sc_form *sc_form_named(struct sc_server *s, struct json_object *arg);
const struct sc_version *sc_form_current(const struct sc_form *f);
struct sc_sub *sc_sub_find(struct sc_form *f, const char *id);
void sc_sub_add(struct sc_form *f, struct sc_sub *sub, const char *id);
void sc_form_sort(struct sc_form *f);
struct sc_rev *sc_rev_new(struct sc_server *s, struct sc_form *f,
                          const char *id);
struct sc_rev *sc_rev_copy(const struct sc_rev *r);
struct sc_rev *sc_rev_ref(struct sc_rev *r);
void sc_rev_unref(struct sc_rev *r);
void sc_form_free(struct sc_form *f);
char *sc_rev_text(const struct sc_rev *r);
struct json_object *sc_rev_files(const struct sc_rev *r);
void sc_rev_count_files(struct sc_sub *sub, struct sc_rev *r);

/* forms.c */
struct sc_version *sc_version_new(const char *name, const char *title,
                                  struct json_object *fields, const char *xml,
                                  int64_t now);
struct sc_form *sc_form_publish(struct sc_server *s, int project,
                                const char *id, const char *title,
                                const char *version, struct json_object *fields,
                                const char *xml);
struct sc_form *sc_dataset_publish(struct sc_server *s, int project,
                                   const char *name,
                                   struct json_object *properties);
void sc_version_free(struct sc_version *v);
struct sc_field *sc_field_kid(const struct sc_field *f, const char *name);
struct sc_field *sc_table_find(const struct sc_version *v, const char *path);
void sc_table_path(const struct sc_field *f, struct sc_buf *out);
void sc_parent_key(const struct sc_field *f, struct sc_buf *out);
void sc_form_json(struct sc_server *s, struct sc_form *f,
                  const struct sc_version *v, bool extended,
                  struct sc_buf *out);
void sc_fields_json(const struct sc_version *v, bool odata, struct sc_buf *out);
void sc_service_json(const struct sc_server *s, const struct sc_form *f,
                     const char *base, struct sc_buf *out);
void sc_xform_xml(const struct sc_form *f, const struct sc_version *v,
                  struct sc_buf *out); /* xform.c */
void sc_metadata_xml(const struct sc_form *f, struct sc_buf *out);
void sc_forms_reset(struct sc_server *s); /* builtin.c */

/* gen.c, bulk.c */
void sc_gen_text(const struct sc_version *v, uint64_t seed, struct sc_buf *out);
void sc_bulk_row(const struct sc_form *f, uint64_t i, bool expand,
                 struct sc_buf *out);
int64_t sc_bulk_created(const struct sc_form *f, uint64_t i);
void sc_bulk_id(uint64_t i, char out[42]);
bool sc_bulk_index(const struct sc_form *f, const char *id, uint64_t *i);
bool sc_bulk_live(const struct sc_form *f, uint64_t i);
struct sc_sub *sc_bulk_detach(struct sc_server *s, struct sc_form *f,
                              uint64_t i);

/* rows.c: how rows are printed */
struct sc_shape {
    const struct sc_version *version;
    const struct sc_field *table; /* root, or a repeat */
    bool expand, wkt;
    bool all;            /* of an entity: deletedAt, too */
    bool some;           /* $select: only what follows */
    unsigned char *mark; /* by field index: 1 wanted, 2 on the way */
    bool id, parent_id;
    unsigned system; /* bit per key of __system */
};
extern const char *const sc_system_keys[];
enum { SC_NSYSTEM = 12 };
void sc_row_print(const struct sc_shape *sh, const struct sc_rev *r,
                  struct sc_buf *out);
/* Every row of a repeat table in one submission, in order. */
struct sc_rows {
    struct sc_buf text;
    size_t *end; /* end offset of each row in text */
    char (*id)[41];
    size_t n, cap;
};
void sc_rows_of(const struct sc_shape *sh, const struct sc_rev *r,
                struct sc_rows *rows);
void sc_rows_free(struct sc_rows *rows);

/* An item of a selection: a revision, or the index of a bulk row. */
typedef uintptr_t sc_item;

struct sc_select {
    sc_item *v;
    size_t n, cap;
};
static inline bool
sc_item_is_bulk(sc_item it)
{
    return (it & 1) != 0;
}
static inline struct sc_rev *
sc_item_rev(sc_item it)
{
    return (struct sc_rev *) it;
}
/* A revision for the item; the caller drops it with sc_rev_unref(). */
struct sc_rev *sc_item_open(const struct sc_form *f, sc_item it);
void sc_select_free(struct sc_select *sel);

/* filter.c, eval.c */
enum sc_kind {
    SC_AND,
    SC_OR,
    SC_NOT,
    SC_PAREN,
    SC_EQ,
    SC_NE,
    SC_LT,
    SC_LE,
    SC_GT,
    SC_GE,
    SC_ADD,
    SC_SUB,
    SC_MUL,
    SC_DIV,
    SC_MOD,
    SC_CALL,
    SC_PATH,
    SC_STR,
    SC_NUM,
    SC_WHEN,
    SC_TRUTH,
    SC_NULL,
};

struct sc_node {
    enum sc_kind kind;
    char *text; /* as written; of a quoted string, what is in the quotes */
    size_t at;
    int field;    /* SC_PATH: which, or -1 */
    int64_t when; /* SC_WHEN: microseconds */
    struct sc_node *a, *b;
};

struct sc_fault {
    int status;
    char *body;
};
void sc_fault_set(struct sc_fault *e, int status, const char *code,
                  const char *message, const char *details);
struct sc_node *sc_filter_parse(const char *text, bool dataset,
                                struct sc_fault *e);
void sc_filter_free(struct sc_node *n);
struct sc_view {
    const char *id, *review;
    int64_t created, updated, deleted;
    int submitter;
};
int sc_filter_eval(const struct sc_node *n, const struct sc_view *v,
                   struct sc_fault *e); /* 1 true, 0 false, -1 null */
bool sc_filter_check(const struct sc_node *n, bool root_only,
                     struct sc_fault *e);

/* select.c */
void sc_select_rows(struct sc_form *f, const struct sc_node *filter,
                    bool deleted_too, struct sc_select *sel,
                    struct sc_fault *e);
bool sc_select_order(const struct sc_form *f, struct sc_select *sel,
                     const char *orderby, struct sc_fault *e);
void sc_select_tag(const struct sc_server *s, const struct sc_select *sel,
                   char out[60]);
void sc_item_view(const struct sc_form *f, sc_item it, struct sc_view *v,
                  char idbuf[42]);

/* A request being answered. */
struct sc_param {
    char *key, *value;
};

struct sc_request {
    struct sc_server *server;
    struct MHD_Connection *conn;
    char *method, *uri, *path;
    char *seg[16]; /* decoded path segments */
    int nseg;
    struct sc_param param[32];
    int nparam;
    struct sc_buf body;
    const struct sc_user *user;
    struct sc_session *session;
    struct json_object *action; /* of the rule that matched, or NULL */
    bool odata;                 /* send OData-Version */
    bool foreign;               /* outside of the API: fewer headers */
    char etag[80];
    bool logged, started;
    int status;
    uint64_t bytes;
    char *if_none_match;
    const char *origin;
};

/* http.c */
const char *sc_param(const struct sc_request *q, const char *key);
const char *sc_header(const struct sc_request *q, const char *name);
struct MHD_Daemon *sc_http_start(struct sc_server *s, int port, char *cert,
                                 char *key);

/* reply.c: each answers the request and returns what MHD wants */
int sc_reply_buf(struct sc_request *q, int status, const char *type,
                 struct sc_buf *body); /* takes the body's memory */
int sc_reply_json(struct sc_request *q, int status, const char *text);
int sc_reply_fault(struct sc_request *q, struct sc_fault *e);
int sc_reply_error(struct sc_request *q, int status, const char *code,
                   const char *message, const char *details);
int sc_reply_404(struct sc_request *q);
int sc_reply_304(struct sc_request *q);
int sc_reply_empty(struct sc_request *q, int status);
struct MHD_Response *sc_reply_nothing(void);
struct sc_stream;
int sc_reply_stream(struct sc_request *q, struct sc_stream *st);
struct MHD_Response;
void sc_reply_header(struct MHD_Response *r, const char *k, const char *v);
int sc_reply_send(struct sc_request *q, int status, struct MHD_Response *r);
bool sc_etag_matches(const struct sc_request *q, const char *etag);

/* stream.c: a body made while it is sent */
typedef bool (*sc_more)(void *arg, struct sc_buf *out); /* false: ended */
struct sc_stream *sc_stream_new(struct sc_request *q, sc_more more,
                                void (*done)(void *), void *arg);
struct MHD_Response *sc_stream_response(struct sc_stream *st);
bool sc_stream_gzip(const struct sc_stream *st);
void sc_sleep(struct sc_server *s, double seconds);

/* auth.c, route.c, odata.c, table.c, submissions.c */
bool sc_auth(struct sc_request *q);
int sc_session_create(struct sc_request *q);
int sc_session_delete(struct sc_request *q);
void sc_sessions_expire(struct sc_server *s);
int sc_route(struct sc_request *q);
int sc_odata(struct sc_request *q, struct sc_form *f, const char *table);
int sc_odata_single(struct sc_request *q, struct sc_form *f,
                    const char *segment, const char *rest);
int sc_submissions(struct sc_request *q, struct sc_form *f);

/* options.c: the query options of a feed */
struct sc_options {
    const char *filter, *orderby, *select, *skiptoken;
    bool has_top, count;
    int64_t top, skip;
    char *cursor; /* decoded from the skiptoken, or NULL */
};
bool sc_options_early(struct sc_request *q, struct sc_fault *e);
bool sc_options_read(struct sc_request *q, const char *token_key,
                     struct sc_options *o, struct sc_fault *e);
void sc_options_free(struct sc_options *o);
bool sc_shape_select(struct sc_shape *sh, const char *select,
                     struct sc_fault *e);
void sc_next_link(struct sc_request *q, const char *key, const char *id,
                  struct sc_buf *out);
void sc_footer(struct sc_request *q, const char *base, const char *table,
               const char *next, int64_t count, struct sc_buf *out);
char *sc_service_base(const struct sc_request *q);
int sc_table_feed(struct sc_request *q, struct sc_form *f, struct sc_shape *sh,
                  struct sc_options *o, struct sc_select *sel,
                  const char *table);

/* dataset.c */
int sc_datasets(struct sc_request *q, int project);
void sc_dataset_json(const struct sc_form *f, struct sc_buf *out);
void sc_entity_print(const struct sc_shape *sh, const struct sc_rev *r,
                     struct sc_buf *out);
bool sc_entity_select(struct sc_shape *sh, const char *select,
                      struct sc_fault *e);
/* The rows that Central finds behind a cursor: not all that come after it. */
bool sc_entity_after(struct sc_form *f, const char *cursor,
                     struct sc_select *sel, struct sc_fault *e);

/* script.c, spoil.c */
void sc_script_match(struct sc_request *q);
int sc_script_reply(struct sc_request *q); /* -1: nothing to do instead */
void sc_script_hook(struct sc_request *q, const char *when);
struct json_object *sc_action(const struct sc_request *q, const char *key);
void sc_spoil_body(const struct sc_request *q, struct sc_buf *body);
void sc_spoil_headers(const struct sc_request *q, struct MHD_Response *r);
bool sc_spoil_ignores(const struct sc_request *q, const char *option);
bool sc_script_add(struct sc_server *s, struct json_object *rules);
void sc_script_clear(struct sc_server *s);

/* control.c, change.c, log.c */
int sc_control(struct sc_request *q);
struct json_object *sc_command(struct sc_server *s, const char *cmd,
                               struct json_object *arg, struct sc_fault *e);
struct json_object *sc_change(struct sc_server *s, const char *cmd,
                              struct json_object *arg, struct sc_fault *e);
void sc_log_request(struct sc_request *q, bool complete);
struct json_object *sc_log_take(struct sc_server *s);
const char *sc_json_str(struct json_object *o, const char *key,
                        const char *otherwise);
int64_t sc_json_int(struct json_object *o, const char *key, int64_t otherwise);
bool sc_json_bool(struct json_object *o, const char *key, bool otherwise);

#endif
