/* tests/contract/submissions.c - SPDX-License-Identifier: Apache-2.0 */
/* The REST side of submissions: their list, one of them, attachments. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "instance.h"
#include "standin.h"

#define JSON_TYPE "application/json; charset=utf-8"

static void
submission_json(const struct sc_rev *r, struct sc_buf *b)
{
    sc_buf_str(b, "{\"instanceId\":");
    sc_buf_json(b, r->id);
    sc_buf_fmt(b, ",\"submitterId\":%d,\"deviceId\":", r->submitter);
    sc_buf_json(b, r->device);
    sc_buf_str(b, ",\"createdAt\":");
    sc_buf_time(b, r->created);
    sc_buf_str(b, ",\"updatedAt\":");
    sc_buf_time(b, r->updated);
    sc_buf_str(b, ",\"reviewState\":");
    sc_buf_json(b, r->review);
    sc_buf_str(b, ",\"userAgent\":null,\"deletedAt\":");
    sc_buf_time(b, r->deleted);
    sc_buf_fmt(b, ",\"currentVersion\":{\"submitterId\":%d,\"createdAt\":",
               r->submitter);
    sc_buf_time(b, r->updated != SC_NONE ? r->updated : r->created);
    sc_buf_str(b, ",\"instanceName\":null,\"instanceId\":");
    sc_buf_json(b, r->instance_id);
    sc_buf_str(b, ",\"current\":true,\"deviceId\":null,"
                  "\"userAgent\":null}}");
}

static int64_t
number_param(const struct sc_request *q, const char *key, int64_t otherwise)
{
    const char *v = sc_param(q, key);

    return v != NULL ? strtoll(v, NULL, 10) : otherwise;
}

static int
list(struct sc_request *q, struct sc_form *f)
{
    const char *trash = sc_param(q, "deleted");
    bool deleted = trash != NULL && strcmp(trash, "true") == 0;
    int64_t limit = number_param(q, "limit", INT64_MAX);
    int64_t offset = number_param(q, "offset", 0), seen = 0;
    struct sc_select sel = { 0 };
    struct sc_fault none = { 0 };
    struct sc_buf b = { 0 };

    sc_select_rows(f, NULL, deleted, &sel, &none);
    sc_select_tag(q->server, &sel, q->etag);
    sc_buf_str(&b, "[");
    for (size_t i = 0; i < sel.n && limit > 0; i++) {
        struct sc_rev *r = sc_item_open(f, sel.v[i]);

        if ((r->deleted != SC_NONE) == deleted && seen++ >= offset) {
            sc_buf_str(&b, b.len > 1 ? "," : "");
            submission_json(r, &b);
            limit--;
        }
        sc_rev_unref(r);
    }
    sc_buf_str(&b, "]");
    sc_select_free(&sel);
    return sc_reply_buf(q, 200, JSON_TYPE, &b);
}

static const struct sc_file *
file_of(const struct sc_sub *sub, const char *name)
{
    for (size_t i = 0; sub != NULL && i < sub->nfiles; i++)
        if (strcmp(sub->files[i].name, name) == 0)
            return &sub->files[i];
    return NULL;
}

static int
attachments(struct sc_request *q, struct sc_form *f, const struct sc_sub *sub,
            const struct sc_rev *r)
{
    struct json_object *names = sc_rev_files(r);
    struct sc_buf b = { 0 };

    sc_buf_str(&b, "[");
    json_object_object_foreach(names, key, value)
    {
        bool have =
            file_of(sub, key) != NULL
            || (r->status != NULL && strcmp(r->status, "notDecrypted") == 0);

        (void) value;
        sc_buf_fmt(&b, "%s{\"name\":", b.len > 1 ? "," : "");
        sc_buf_json(&b, key);
        sc_buf_fmt(&b, ",\"exists\":%s}", have ? "true" : "false");
    }
    sc_buf_str(&b, "]");
    json_object_put(names);
    return sc_reply_buf(q, 200, JSON_TYPE, &b);
}

static const char *
type_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    if (dot != NULL && strcasecmp(dot, ".jpg") == 0)
        return "image/jpeg";
    if (dot != NULL && strcasecmp(dot, ".png") == 0)
        return "image/png";
    return "application/octet-stream";
}

static int
attachment(struct sc_request *q, const struct sc_sub *sub, const char *name)
{
    const struct sc_file *file = file_of(sub, name);
    struct sc_buf copy = { 0 };
    char md5[33];

    if (file == NULL)
        return sc_reply_404(q);
    sc_md5_hex(file->content.p != NULL ? file->content.p : "",
               file->content.len, md5);
    (void) snprintf(q->etag, sizeof(q->etag), "\"%s\"", md5);
    sc_buf_reserve(&copy, 1);
    sc_buf_put(&copy, file->content.p, file->content.len);
    return sc_reply_buf(q, 200, type_of(name), &copy);
}

/* "ID.xml", or "ID/versions/INSTANCE.xml"; NULL: neither. */
static char *
id_of_xml(const struct sc_request *q)
{
    const char *last = q->seg[q->nseg - 1];
    size_t n = strlen(last);
    char *id;

    if (n < 5 || strcmp(last + n - 4, ".xml") != 0
        || (q->nseg != 7
            && (q->nseg != 9 || strcmp(q->seg[7], "versions") != 0)))
        return NULL;
    id = sc_dup(last);
    id[n - 4] = '\0';
    return id;
}

/* Only the version that is current. */
static int
instance(struct sc_request *q, struct sc_form *f, const struct sc_rev *r,
         const char *version)
{
    struct sc_buf b = { 0 };

    if (q->nseg == 9 && strcmp(version, r->instance_id) != 0)
        return sc_reply_404(q);
    sc_instance_xml(sc_form_current(f), r, &b);
    return sc_reply_buf(q, 200, "application/xml; charset=utf-8", &b);
}

int
sc_submissions(struct sc_request *q, struct sc_form *f)
{
    struct sc_buf b = { 0 };
    struct sc_rev *r = NULL;
    uint64_t i;
    int ret;

    if (q->nseg == 6)
        return list(q, f);
    char *xml = id_of_xml(q);
    const char *id = xml != NULL && q->nseg == 7 ? xml : q->seg[6];
    struct sc_sub *sub = sc_sub_find(f, id);
    if (sub != NULL && sub->cur != NULL && sub->cur->deleted == SC_NONE)
        r = sc_rev_ref(sub->cur);
    else if (sub == NULL && sc_bulk_index(f, id, &i) && sc_bulk_live(f, i))
        r = sc_item_open(f, (sc_item) (i << 1 | 1));
    if (r == NULL) {
        free(xml);
        return sc_reply_404(q);
    }
    if (xml != NULL) {
        ret = instance(q, f, r, xml);
    } else if (q->nseg == 7) {
        submission_json(r, &b);
        ret = sc_reply_buf(q, 200, JSON_TYPE, &b);
    } else if (strcmp(q->seg[7], "attachments") == 0 && q->nseg == 8) {
        ret = attachments(q, f, sub, r);
    } else if (strcmp(q->seg[7], "attachments") == 0 && q->nseg == 9) {
        ret = attachment(q, sub, q->seg[8]);
    } else {
        ret = sc_reply_404(q);
    }
    free(xml);
    sc_rev_unref(r);
    return ret;
}
