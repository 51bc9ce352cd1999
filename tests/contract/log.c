/* tests/contract/log.c - SPDX-License-Identifier: Apache-2.0 */
/* What was asked since the last look, and how it ended. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "standin.h"

enum { LOG_MAX = 100000 };

void
sc_log_request(struct sc_request *q, bool complete)
{
    struct sc_server *s = q->server;

    s->total++;
    if (s->nlog >= LOG_MAX)
        return;
    if (s->nlog == s->caplog) {
        s->caplog = s->caplog == 0 ? 64 : s->caplog * 2;
        s->log = realloc(s->log, s->caplog * sizeof(s->log[0]));
        if (s->log == NULL)
            abort();
    }
    s->log[s->nlog++] = (struct sc_logged){
        .method = sc_dup(q->method),
        .path = sc_dup(q->uri),
        .if_none_match = sc_dup(q->if_none_match),
        .status = q->status,
        .bytes = q->bytes,
        .complete = complete,
        .at = sc_now(s),
    };
}

static struct json_object *
entry(const struct sc_logged *l)
{
    struct json_object *o = json_object_new_object();
    char at[25];

    sc_time_text(l->at, at);
    json_object_object_add(o, "method", json_object_new_string(l->method));
    json_object_object_add(o, "path", json_object_new_string(l->path));
    json_object_object_add(o, "status", json_object_new_int(l->status));
    json_object_object_add(o, "bytes",
                           json_object_new_int64((int64_t) l->bytes));
    json_object_object_add(o, "complete", json_object_new_boolean(l->complete));
    json_object_object_add(o, "ifNoneMatch",
                           l->if_none_match != NULL
                               ? json_object_new_string(l->if_none_match)
                               : NULL);
    json_object_object_add(o, "at", json_object_new_string(at));
    return o;
}

struct json_object *
sc_log_take(struct sc_server *s)
{
    struct json_object *o = json_object_new_object();
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < s->nlog; i++) {
        json_object_array_add(list, entry(&s->log[i]));
        free(s->log[i].method);
        free(s->log[i].path);
        free(s->log[i].if_none_match);
    }
    s->nlog = 0;
    json_object_object_add(o, "requests", list);
    json_object_object_add(o, "total",
                           json_object_new_int64((int64_t) s->total));
    json_object_object_add(o, "logins",
                           json_object_new_int64((int64_t) s->logins));
    json_object_object_add(o, "inflight", json_object_new_int64(s->inflight));
    return o;
}
