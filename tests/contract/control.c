/* tests/contract/control.c - SPDX-License-Identifier: Apache-2.0 */
/* The control API: POST JSON to /_control/COMMAND, no authentication. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "standin.h"

const char *
sc_json_str(struct json_object *o, const char *key, const char *otherwise)
{
    struct json_object *v = NULL;

    if (o == NULL || !json_object_is_type(o, json_type_object)
        || !json_object_object_get_ex(o, key, &v) || v == NULL)
        return otherwise;
    return json_object_get_string(v);
}

int64_t
sc_json_int(struct json_object *o, const char *key, int64_t otherwise)
{
    struct json_object *v = NULL;

    if (o == NULL || !json_object_is_type(o, json_type_object)
        || !json_object_object_get_ex(o, key, &v) || v == NULL)
        return otherwise;
    return json_object_get_int64(v);
}

bool
sc_json_bool(struct json_object *o, const char *key, bool otherwise)
{
    struct json_object *v = NULL;

    if (o == NULL || !json_object_is_type(o, json_type_object)
        || !json_object_object_get_ex(o, key, &v) || v == NULL)
        return otherwise;
    return json_object_get_boolean(v);
}

static struct json_object *
done(void)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "ok", json_object_new_boolean(true));
    return o;
}

static struct json_object *
wrong(struct sc_fault *e, const char *why)
{
    sc_fault_set(e, 400, NULL, why, NULL);
    return NULL;
}

static struct json_object *
set_clock(struct sc_server *s, struct json_object *arg, struct sc_fault *e)
{
    const char *set = sc_json_str(arg, "set", NULL);
    struct json_object *advance = NULL, *o;
    int64_t us;
    char text[25];

    if (sc_json_bool(arg, "real", false)) {
        s->clock_set = SC_NONE;
        s->clock_offset = 0;
    }
    if (set != NULL) {
        if (!sc_time_parse(set, &us))
            return wrong(e, "no date");
        s->clock_set = SC_NONE;
        s->clock_offset = 0;
        if (sc_json_bool(arg, "run", false))
            s->clock_offset = us / 1000 - sc_now(s);
        else
            s->clock_set = us / 1000;
    }
    if (json_object_object_get_ex(arg, "advance", &advance)) {
        int64_t ms = (int64_t) (json_object_get_double(advance) * 1000);

        if (s->clock_set != SC_NONE)
            s->clock_set += ms;
        else
            s->clock_offset += ms;
    }
    o = json_object_new_object();
    sc_time_text(sc_now(s), text);
    json_object_object_add(o, "now", json_object_new_string(text));
    return o;
}

static struct json_object *
publish(struct sc_server *s, struct json_object *arg, struct sc_fault *e)
{
    const char *id = sc_json_str(arg, "form", NULL);
    const char *dataset = sc_json_str(arg, "dataset", NULL);
    const char *version = sc_json_str(arg, "version", NULL);
    struct json_object *fields = NULL, *o;

    if (dataset != NULL) {
        if (!json_object_object_get_ex(arg, "properties", &fields)
            || sc_dataset_publish(s, (int) sc_json_int(arg, "project", 0),
                                  dataset, fields)
                   == NULL)
            return wrong(e, "a dataset needs properties that make sense");
        return done();
    }

    if (id == NULL || version == NULL
        || !json_object_object_get_ex(arg, "fields", &fields))
        return wrong(e, "publish needs form, version and fields");
    struct sc_form *f =
        sc_form_publish(s, (int) sc_json_int(arg, "project", 0), id,
                        sc_json_str(arg, "name", NULL), version, fields,
                        sc_json_str(arg, "xml", NULL));
    if (f == NULL)
        return wrong(e, "the version exists, or the fields make no sense");
    if (f->nversions == 1)
        f->encrypted = sc_json_bool(arg, "encrypted", false);
    o = done();
    json_object_object_add(o, "hash",
                           json_object_new_string(sc_form_current(f)->hash));
    return o;
}

static struct json_object *
form_state(struct sc_server *s, const char *cmd, struct json_object *arg,
           struct sc_fault *e)
{
    const char *want = sc_json_str(arg, "state", "closed");
    struct sc_form *f = sc_form_named(s, arg);

    if (f == NULL) {
        sc_fault_set(e, 404, NULL, "no such form", NULL);
        return NULL;
    }
    f->updated = sc_now(s);
    if (strcmp(cmd, "delete-form") == 0)
        f->deleted = true;
    else
        f->state = strcmp(want, "open") == 0      ? "open"
                   : strcmp(want, "closing") == 0 ? "closing"
                                                  : "closed";
    return done();
}

static struct json_object *
restore_form(struct sc_server *s, struct json_object *arg, struct sc_fault *e)
{
    const char *id = sc_json_str(arg, "form", "");

    for (size_t i = 0; i < s->nforms; i++)
        if (s->forms[i]->deleted && strcmp(s->forms[i]->id, id) == 0) {
            s->forms[i]->deleted = false;
            return done();
        }
    sc_fault_set(e, 404, NULL, "no such form in the trash", NULL);
    return NULL;
}

static struct json_object *
configure(struct sc_server *s, struct json_object *arg)
{
    const char *domain = sc_json_str(arg, "domain", NULL);

    s->rate = (unsigned) sc_json_int(arg, "rate", s->rate);
    s->latency_ms = (unsigned) sc_json_int(arg, "latency", s->latency_ms);
    s->gzip = sc_json_bool(arg, "gzip", s->gzip);
    s->untagged = !sc_json_bool(arg, "etag", !s->untagged);
    s->one_tag = sc_json_bool(arg, "oneTag", s->one_tag);
    s->mute_trash = !sc_json_bool(arg, "entityDeletedAt", !s->mute_trash);
    if (domain != NULL) {
        free(s->domain);
        s->domain = sc_dup(domain);
    }
    return done();
}

static struct json_object *
script(struct sc_server *s, struct json_object *arg, struct sc_fault *e)
{
    struct json_object *rules = NULL;

    if (sc_json_bool(arg, "clear", false))
        sc_script_clear(s);
    if (json_object_object_get_ex(arg, "rules", &rules)
        && (!json_object_is_type(rules, json_type_array)
            || !sc_script_add(s, rules)))
        return wrong(e, "a rule without a known action");
    return done();
}

static struct json_object *
reset(struct sc_server *s)
{
    json_object_put(sc_log_take(s));
    sc_script_clear(s);
    s->nsessions = 0;
    s->total = s->logins = 0;
    s->clock_set = SC_NONE;
    s->clock_offset = 0;
    s->untagged = s->one_tag = s->mute_trash = false;
    sc_forms_reset(s);
    return done();
}

struct json_object *
sc_command(struct sc_server *s, const char *cmd, struct json_object *arg,
           struct sc_fault *e)
{
    struct json_object *o = sc_change(s, cmd, arg, e);

    if (o != NULL || e->status != 0)
        return o;
    if (strcmp(cmd, "clock") == 0)
        return set_clock(s, arg, e);
    if (strcmp(cmd, "publish") == 0)
        return publish(s, arg, e);
    if (strcmp(cmd, "close") == 0 || strcmp(cmd, "delete-form") == 0)
        return form_state(s, cmd, arg, e);
    if (strcmp(cmd, "restore-form") == 0)
        return restore_form(s, arg, e);
    if (strcmp(cmd, "config") == 0)
        return configure(s, arg);
    if (strcmp(cmd, "script") == 0)
        return script(s, arg, e);
    if (strcmp(cmd, "requests") == 0)
        return sc_log_take(s);
    if (strcmp(cmd, "reset") == 0)
        return reset(s);
    if (strcmp(cmd, "expire-tokens") == 0) {
        sc_sessions_expire(s);
        return done();
    }
    sc_fault_set(e, 404, NULL, "no such command", NULL);
    return NULL;
}

static void
state_rows(struct sc_form *f, bool deleted, struct sc_buf *b)
{
    struct sc_shape sh = { .version = sc_form_current(f),
                           .expand = true,
                           .all = true };
    struct sc_select sel = { 0 };
    struct sc_fault none = { 0 };
    bool first = true;

    sh.table = sh.version->root;
    sc_select_rows(f, NULL, deleted, &sel, &none);
    sc_buf_str(b, "[");
    for (size_t i = 0; i < sel.n; i++) {
        struct sc_rev *r = sc_item_open(f, sel.v[i]);

        if ((r->deleted != SC_NONE) == deleted) {
            sc_buf_str(b, first ? "" : ",");
            first = false;
            if (f->dataset)
                sc_entity_print(&sh, r, b);
            else
                sc_row_print(&sh, r, b);
        }
        sc_rev_unref(r);
    }
    sc_buf_str(b, "]");
    sc_select_free(&sel);
}

/* The truth about a form, for tests to compare with. */
static int
state(struct sc_request *q, struct json_object *arg)
{
    struct sc_form *f = sc_form_named(q->server, arg);
    struct sc_buf b = { 0 };
    bool first = true;

    if (f == NULL)
        return sc_reply_error(q, 404, NULL, "no such form", NULL);
    sc_buf_str(&b, "{\"form\":");
    if (f->dataset)
        sc_dataset_json(f, &b);
    else
        sc_form_json(q->server, f, sc_form_current(f), true, &b);
    sc_buf_str(&b, ",\"live\":");
    state_rows(f, false, &b);
    sc_buf_str(&b, ",\"deleted\":");
    state_rows(f, true, &b);
    sc_buf_str(&b, ",\"held\":[");
    for (size_t i = 0; i < f->nsubs; i++)
        if (f->subs[i]->pending != NULL) {
            sc_buf_str(&b, first ? "" : ",");
            first = false;
            sc_buf_json(&b, f->subs[i]->pending->id);
        }
    sc_buf_str(&b, "]}");
    return sc_reply_buf(q, 200, "application/json; charset=utf-8", &b);
}

int
sc_control(struct sc_request *q)
{
    const char *cmd = q->nseg > 1 ? q->seg[1] : "";
    struct json_object *arg = NULL, *answer;
    struct sc_fault e = { 0 };
    int ret;

    if (q->body.len > 0)
        arg = odks_json_read(q->body.p);
    else
        arg = json_object_new_object();
    if (!json_object_is_type(arg, json_type_object)) {
        json_object_put(arg);
        return sc_reply_error(q, 400, NULL, "the body is no JSON object", NULL);
    }
    if (strcmp(cmd, "state") == 0) {
        ret = state(q, arg);
        json_object_put(arg);
        return ret;
    }
    answer = sc_command(q->server, cmd, arg, &e);
    if (e.status != 0)
        ret = sc_reply_fault(q, &e);
    else
        ret = sc_reply_json(q, 200,
                            json_object_to_json_string_ext(
                                answer, JSON_C_TO_STRING_PLAIN
                                            | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(answer);
    json_object_put(arg);
    return ret;
}
