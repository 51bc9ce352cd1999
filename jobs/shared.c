/* jobs/shared.c - SPDX-License-Identifier: Apache-2.0 */
/* Questions that share a key in OData: their answers are in the XML. */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "central/restore.h"
#include "central/xml.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/mem.h"
#include "jobs/walk.h"

enum { WINDOW_ROWS = 1000 }; /* Central takes about 0.2 s per request */

void
odks_walk_find_shared(struct odks_walk *w)
{
    if (w->whole != NULL || !odks_field_has_key(w->fields))
        return;
    w->only_xml = odks_field_lost(w->fields) != NULL;
    if (w->only_xml)
        odks_field_share_all(w->fields);
    w->whole = odks_field_copy(w->fields);
}

/* Another property with the same key. */
static const struct odks_field *
find_other(const struct odks_field *properties, const struct odks_field *one,
           const char *key)
{
    for (size_t i = 0; i < properties->child_count; i++) {
        const struct odks_field *p = properties->child[i];

        if (p != one && strcmp(p->key != NULL ? p->key : p->name, key) == 0)
            return p;
    }
    return NULL;
}

bool
odks_walk_check_shared(struct odks_walk *w, struct odks_err *err)
{
    const struct odks_field *shared = odks_field_shared(w->fields);

    w->needs_xml = shared != NULL;
    if (shared == NULL || w->feed == ODKS_FEED_FORM)
        return true;
    const char *key = shared->key != NULL ? shared->key : shared->name;
    const struct odks_field *other = find_other(w->fields, shared, key);
    odks_err_set(err, ODKS_EXIT_DATA,
                 "Central returns one value for several properties: its "
                 "OData calls both %s and %s %s",
                 shared->path,
                 other != NULL ? other->path : "one that is left out", key);
    odks_err_hint(err, "Use properties whose names differ in ASCII letters and "
                       "digits, or leave all of these out with drop =.");
    return false;
}

bool
odks_walk_hold_row(const struct odks_walk *w, struct odks_buf *held,
                   const char *row, size_t len, struct odks_err *err)
{
    if (odks_buf_add(held, row, len) && odks_buf_add_char(held, '\0'))
        return true;
    odks_err_set(err, ODKS_EXIT_DATA,
                 "too many submissions changed: their rows exceed %d MB",
                 ODKS_WALK_HELD >> 20);
    odks_err_hint(err, "Read all in small parts: odk-sync run %s --full",
                  w->a->conf->sync_type);
    return false;
}

int64_t
odks_walk_window_rows(const struct odks_walk *w)
{
    int64_t rows = w->a->conf->window_rows;

    return w->needs_xml && rows > WINDOW_ROWS ? WINDOW_ROWS : rows;
}

/* The child of that name, or NULL. */
static const struct odks_field *
find_field(const struct odks_field *field, const char *name)
{
    for (size_t i = 0; field != NULL && i < field->child_count; i++) {
        if (strcmp(field->child[i]->name, name) == 0)
            return field->child[i];
    }
    return NULL;
}

const char *
odks_walk_select(const struct odks_walk *w)
{
    if (!w->only_xml)
        return NULL;
    return find_field(find_field(w->whole, "meta"), "instanceID") != NULL
               ? "__id,__system,meta/instanceID"
               : "__id,__system";
}

static const char *
get_text(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;

    if (json_object_is_type(object, json_type_object))
        (void) json_object_object_get_ex(object, name, &value);
    return json_object_is_type(value, json_type_string)
               ? json_object_get_string(value)
               : NULL;
}

/* The XML of a submission, if it could be read. */
struct answers {
    struct odks_xml *xml; /* NULL: nothing */
    bool gone;            /* Central does not have the submission any more */
    char fault[1024];     /* why the XML cannot be read, or "" */
};

/*
 * Fetch the XML of the version that the row describes. Central provides none
 * for deleted or encrypted submissions, and a row without a usable id cannot be
 * stored anyway.
 */
static bool
fetch_answers(struct odks_walk *w, struct json_object *object,
              struct answers *answers, struct odks_err *err)
{
    const struct odks_query query = odks_job_query(w->a->conf);
    struct json_object *system = NULL, *meta = NULL;
    const char *id = get_text(object, "__id");

    (void) json_object_object_get_ex(object, "__system", &system);
    (void) json_object_object_get_ex(object, "meta", &meta);
    if (!w->needs_xml || id == NULL || strlen(id) > ODKS_ID_MAX
        || get_text(system, "deletedAt") != NULL
        || get_text(system, "status") != NULL)
        return true;
    if (odks_central_submission(w->central, query.project, query.form_id, id,
                                get_text(meta, "instanceID"), &answers->xml,
                                err)) {
        answers->gone = answers->xml == NULL;
        return true;
    }
    if (err->code != ODKS_EXIT_DATA) {
        odks_err_context(err, "submission %s", id);
        return false;
    }
    (void) snprintf(answers->fault, sizeof(answers->fault), "%s", err->message);
    odks_err_clear(err);
    return true;
}

static bool
add_whole_row(struct odks_walk *w, struct json_object *object,
              const struct answers *answers, struct odks_err *err)
{
    CLEANUP_JSON struct json_object *whole =
        odks_restore_row(w->whole, object, answers->xml);
    size_t len;
    const char *row = json_object_to_json_string_length(
        whole, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

    if (!odks_batch_add(w->batch, row, len, err))
        return false;
    if (answers->fault[0] == '\0')
        return true;
    w->unread++;
    odks_batch_add_fault(w->batch, get_text(object, "__id"), answers->fault);
    return true;
}

bool
odks_walk_add_row(struct odks_walk *w, const char *row, size_t len,
                  struct odks_err *err)
{
    CLEANUP_JSON struct json_object *object =
        w->whole != NULL ? odks_json_read(row) : NULL;
    struct answers answers = { 0 };

    if (!json_object_is_type(object, json_type_object))
        return odks_batch_add(w->batch, row, len, err);
    bool ok = fetch_answers(w, object, &answers, err)
              && (answers.gone || add_whole_row(w, object, &answers, err));
    odks_xml_free(answers.xml);
    return ok;
}
