/* tests/contract/change.c - SPDX-License-Identifier: Apache-2.0 */
/* Commands that change submissions, as people in the field would. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "standin.h"

static void
fault(struct sc_fault *e, int status, const char *what, const char *name)
{
    struct sc_buf m = { 0 };

    sc_buf_fmt(&m, "%s%s%s", what, name != NULL ? ": " : "",
               name != NULL ? name : "");
    sc_fault_set(e, status, NULL, m.p, NULL);
    sc_buf_free(&m);
}

static struct sc_form *
form_arg(struct sc_server *s, struct json_object *arg, struct sc_fault *e)
{
    struct sc_form *f = sc_form_named(s, arg);

    if (f == NULL)
        fault(e, 404, "no such form or dataset",
              sc_json_str(arg, "form", sc_json_str(arg, "dataset", "")));
    return f;
}

/* Also takes a bulk row out of its range, so that it can change. */
static struct sc_sub *
sub_arg(struct sc_server *s, struct sc_form *f, struct json_object *arg,
        struct sc_fault *e)
{
    const char *id = sc_json_str(arg, "id", "");
    struct sc_sub *sub = sc_sub_find(f, id);
    uint64_t i;

    if (sub == NULL && sc_bulk_index(f, id, &i) && sc_bulk_live(f, i))
        sub = sc_bulk_detach(s, f, i);
    if (sub == NULL || sub->purged)
        fault(e, 404, "no such submission", id);
    return sub == NULL || sub->purged ? NULL : sub;
}

static const char *
review_state(struct json_object *arg, const char *key, struct sc_fault *e)
{
    static const char *const all[] = { "edited", "hasIssues", "approved",
                                       "rejected", "received" };
    const char *want = sc_json_str(arg, key, NULL);

    for (size_t i = 0; want != NULL && i < 5; i++)
        if (strcmp(all[i], want) == 0)
            return i == 4 ? NULL : all[i];
    if (want != NULL)
        fault(e, 400, "no such review state", want);
    return NULL;
}

static const char *
status_arg(const struct sc_form *f, struct json_object *arg)
{
    const char *want = sc_json_str(arg, "status", NULL);

    if (want == NULL)
        return f->encrypted && !json_object_object_get_ex(arg, "data", NULL)
                       && !sc_json_bool(arg, "plain", false)
                   ? "notDecrypted"
                   : NULL;
    return strcmp(want, "missingEncryptedFormData") == 0
               ? "missingEncryptedFormData"
               : "notDecrypted";
}

static void
set_data(struct sc_server *s, struct sc_form *f, struct sc_rev *r,
         struct json_object *arg, int64_t nth)
{
    struct json_object *data = NULL;

    free(r->text);
    r->text = NULL;
    r->made_with = sc_form_current(f);
    if (json_object_object_get_ex(arg, "data", &data) && data != NULL) {
        r->source = SC_FROM_TEXT;
        r->text = sc_dup(json_object_to_json_string_ext(
            data, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
        return;
    }
    r->source = SC_FROM_SEED;
    int64_t seed = sc_json_int(arg, "seed", -1);
    r->seed = seed < 0 ? s->next_seed++ : (uint64_t) (seed + nth);
}

static bool
set_date(struct json_object *arg, const char *key, int64_t *ms,
         struct sc_fault *e)
{
    const char *text = sc_json_str(arg, key, NULL);
    int64_t us;

    if (text == NULL)
        return true;
    if (!sc_time_parse(text, &us)) {
        fault(e, 400, "no date", text);
        return false;
    }
    *ms = us / 1000;
    return true;
}

static void
set_submitter(struct sc_rev *r, struct json_object *arg)
{
    struct json_object *v = NULL;

    if (!json_object_object_get_ex(arg, "submitterId", &v))
        return;
    r->submitter = v != NULL ? json_object_get_int(v) : 0;
    free(r->submitter_name);
    r->submitter_name = sc_dup(sc_json_str(arg, "submitterName", "App user"));
}

static bool
create_one(struct sc_server *s, struct sc_form *f, struct json_object *arg,
           struct json_object *ids, struct sc_fault *e)
{
    const char *want = sc_json_str(arg, "id", NULL);
    char id[42];
    int64_t created = SC_NONE;

    sc_uuid(0x57a9d + (uint64_t) f->next_rowid, ++s->next_event, id);
    if (f->dataset) /* a bare UUID */
        memmove(id, id + 5, sizeof(id) - 5);
    if (want != NULL && sc_sub_find(f, want) != NULL) {
        fault(e, 409, "the id exists", want);
        return false;
    }
    if (!set_date(arg, "submissionDate", &created, e)
        || !set_date(arg, "createdAt", &created, e))
        return false;
    struct sc_rev *r = sc_rev_new(s, f, want != NULL ? want : id);
    struct sc_sub *sub = sc_alloc(sizeof(*sub));
    sub->bulk = -1;
    if (created != SC_NONE)
        r->created = created;
    r->status = status_arg(f, arg);
    r->review = review_state(arg, "reviewState", e);
    r->device = sc_dup(sc_json_str(arg, "deviceId", NULL));
    set_submitter(r, arg);
    set_data(s, f, r, arg, (int64_t) json_object_array_length(ids));
    sc_rev_count_files(sub, r);
    if (sc_json_bool(arg, "hold", false))
        sub->pending = r;
    else
        sub->cur = r;
    sc_sub_add(f, sub, r->id);
    json_object_array_add(ids, json_object_new_string(r->id));
    return true;
}

static struct json_object *
create(struct sc_server *s, struct json_object *arg, struct sc_fault *e)
{
    struct sc_form *f = form_arg(s, arg, e);
    int64_t n = sc_json_int(arg, "count", 1);
    struct json_object *o, *ids;

    if (f == NULL)
        return NULL;
    o = json_object_new_object();
    ids = json_object_new_array();
    json_object_object_add(o, "ids", ids);
    while (n-- > 0 && create_one(s, f, arg, ids, e))
        ;
    if (json_object_array_length(ids) > 0)
        json_object_object_add(
            o, "id", json_object_get(json_object_array_get_idx(ids, 0)));
    return o;
}

/* The new state takes effect now, or at its release. */
static void
take_effect(struct sc_sub *sub, struct sc_rev *r, bool hold)
{
    if (hold) {
        sc_rev_unref(sub->pending);
        sub->pending = r;
        return;
    }
    sc_rev_unref(sub->cur);
    sub->cur = r;
}

static void
edit(struct sc_server *s, struct sc_form *f, struct sc_sub *sub,
     struct json_object *arg)
{
    struct sc_rev *r = sc_rev_copy(sub->cur);
    char id[42];

    r->event = ++s->next_event;
    sc_uuid(0xed17 + r->event, r->event, id);
    free(r->instance_id);
    r->instance_id = sc_dup(sc_json_str(arg, "instanceId", id));
    r->updated = sc_now(s);
    r->edits++;
    r->review = "edited";
    set_data(s, f, r, arg, 0);
    sc_rev_count_files(sub, r);
    take_effect(sub, r, sc_json_bool(arg, "hold", false));
}

/* What an update says of an entity; the rest stays as it was. */
static void
merge_data(struct sc_rev *r, struct json_object *arg)
{
    char *before = sc_rev_text(r);
    struct json_object *all = odks_json_read(before), *data = NULL;

    free(before);
    if (json_object_object_get_ex(arg, "data", &data)) {
        json_object_object_foreach(data, key, value)
        {
            json_object_object_add(all, key, json_object_get(value));
        }
    }
    free(r->text);
    r->source = SC_FROM_TEXT;
    r->text = sc_dup(json_object_to_json_string_ext(
        all, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(all);
}

/* update: data, conflict; resolve; delete; restore, with bulk: no date. */
static void
change_entity(struct sc_server *s, struct sc_sub *sub, const char *cmd,
              struct json_object *arg)
{
    struct sc_rev *r = sc_rev_copy(sub->cur);
    const char *conflict = sc_json_str(arg, "conflict", NULL);
    bool bulk = sc_json_bool(arg, "bulk", false);

    r->event = ++s->next_event;
    if (strcmp(cmd, "delete") == 0) {
        r->deleted = sc_now(s);
    } else {
        r->deleted = SC_NONE;
        r->updated = bulk ? r->updated : sc_now(s);
    }
    if (strcmp(cmd, "update") == 0) {
        r->edits++;
        merge_data(r, arg);
        if (conflict != NULL)
            r->review = strcmp(conflict, "hard") == 0 ? "hard" : "soft";
    } else if (strcmp(cmd, "resolve") == 0) {
        r->review = NULL;
    }
    take_effect(sub, r, sc_json_bool(arg, "hold", false));
}

static void
mark(struct sc_server *s, struct sc_sub *sub, const char *cmd,
     struct json_object *arg, struct sc_fault *e)
{
    struct sc_rev *r = sc_rev_copy(sub->cur);

    r->event = ++s->next_event;
    if (strcmp(cmd, "review") == 0) {
        r->review = review_state(arg, "state", e);
        r->updated = sc_now(s);
    } else {
        r->deleted = strcmp(cmd, "delete") == 0 ? sc_now(s) : SC_NONE;
    }
    take_effect(sub, r, sc_json_bool(arg, "hold", false));
}

static void
purge(struct sc_sub *sub)
{
    sub->purged = true;
}

static size_t
file_index(const struct sc_sub *sub, const char *name)
{
    size_t i = 0;

    while (i < sub->nfiles && strcmp(sub->files[i].name, name) != 0)
        i++;
    return i;
}

/* The first file that the data expects and that is not there. */
static char *
missing_file(struct sc_sub *sub)
{
    struct json_object *names = sc_rev_files(sub->cur);
    char *missing = NULL;

    json_object_object_foreach(names, name, value)
    {
        (void) value;
        if (missing == NULL && file_index(sub, name) == sub->nfiles)
            missing = sc_dup(name);
    }
    json_object_put(names);
    return missing;
}

/* No timestamp and no event moves: that is how Central does it. */
static struct json_object *
attach(struct sc_form *f, struct sc_sub *sub, struct json_object *arg,
       struct sc_fault *e)
{
    char *name = sc_dup(sc_json_str(arg, "name", NULL));
    const char *text = sc_json_str(arg, "content", NULL);
    const char *b64 = sc_json_str(arg, "base64", NULL);
    struct sc_buf content = { 0 };
    struct json_object *o = json_object_new_object();

    if (name == NULL)
        name = missing_file(sub);
    if (name == NULL) {
        fault(e, 400, "no attachment is missing", NULL);
        return o;
    }
    if (b64 != NULL)
        (void) sc_unbase64(b64, &content);
    else
        sc_buf_fmt(&content, "%s%s", text != NULL ? text : "content of ",
                   text != NULL ? "" : name);
    size_t i = file_index(sub, name);
    if (i == sub->nfiles) {
        sub->files =
            realloc(sub->files, (sub->nfiles + 1) * sizeof(sub->files[0]));
        if (sub->files == NULL)
            abort();
        sub->files[sub->nfiles++] = (struct sc_file){ .name = sc_dup(name) };
    }
    sc_buf_free(&sub->files[i].content);
    sub->files[i].content = content;
    struct sc_rev *r = sc_rev_copy(sub->cur);
    sc_rev_count_files(sub, r);
    take_effect(sub, r, false);
    json_object_object_add(o, "name", json_object_new_string(name));
    free(name);
    return o;
}

static struct json_object *
release(struct sc_server *s, struct json_object *arg, struct sc_fault *e)
{
    struct sc_form *f = form_arg(s, arg, e);
    const char *id = sc_json_str(arg, "id", NULL);
    int n = 0;

    for (size_t i = 0; f != NULL && i < f->nsubs; i++) {
        struct sc_sub *sub = f->subs[i];

        if (sub->pending == NULL
            || (id != NULL && strcmp(sub->pending->id, id) != 0))
            continue;
        sc_rev_unref(sub->cur);
        sub->cur = sub->pending;
        sub->pending = NULL;
        n++;
    }
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "released", json_object_new_int(n));
    return o;
}

static struct json_object *
purge_trash(struct sc_form *f)
{
    struct json_object *o = json_object_new_object();
    int n = 0;

    for (size_t i = 0; i < f->nsubs; i++) {
        struct sc_sub *sub = f->subs[i];

        if (!sub->purged && sub->cur != NULL && sub->cur->deleted != SC_NONE) {
            purge(sub);
            n++;
        }
    }
    json_object_object_add(o, "purged", json_object_new_int(n));
    return o;
}

/* NULL and no fault: this is not a command about submissions. */
static struct json_object *
change(struct sc_server *s, const char *cmd, struct json_object *arg,
       struct sc_fault *e)
{
    static const char *const known[] = {
        "edit",  "review", "delete", "restore",
        "purge", "attach", "update", "resolve"
    };
    const size_t count = sizeof(known) / sizeof(*known);
    size_t i = 0;

    if (strcmp(cmd, "create") == 0)
        return create(s, arg, e);
    if (strcmp(cmd, "release") == 0)
        return release(s, arg, e);
    while (i < count && strcmp(known[i], cmd) != 0)
        i++;
    if (i == count)
        return NULL;
    struct sc_form *f = form_arg(s, arg, e);
    if (f != NULL && i == 4 && !json_object_object_get_ex(arg, "id", NULL))
        return purge_trash(f);
    struct sc_sub *sub = f != NULL ? sub_arg(s, f, arg, e) : NULL;
    if (sub == NULL)
        return NULL;
    if (i != 4 && sub->cur == NULL) {
        fault(e, 409, "the submission is held", NULL);
        return NULL;
    }
    if (i == 5)
        return attach(f, sub, arg, e);
    if (i == 4)
        purge(sub);
    else if (f->dataset)
        change_entity(s, sub, cmd, arg);
    else if (i == 0)
        edit(s, f, sub, arg);
    else
        mark(s, sub, cmd, arg, e);
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "ok", json_object_new_boolean(true));
    return o;
}

/*
 * lastUpdate is the latest entry of the log of a dataset: one that is committed
 * late keeps its earlier date.
 */
static void
touch(struct sc_server *s, struct sc_form *f, const char *cmd,
      struct json_object *arg)
{
    int64_t now = sc_now(s);

    if (sc_json_bool(arg, "hold", false))
        f->held = now;
    else if (strcmp(cmd, "release") != 0)
        f->touched = now;
    else if (f->held > f->touched)
        f->touched = f->held;
}

struct json_object *
sc_change(struct sc_server *s, const char *cmd, struct json_object *arg,
          struct sc_fault *e)
{
    struct json_object *o = change(s, cmd, arg, e);
    struct sc_form *f = o != NULL ? sc_form_named(s, arg) : NULL;

    if (f != NULL && f->dataset)
        touch(s, f, cmd, arg);
    return o;
}
