/* tests/contract/script.c - SPDX-License-Identifier: Apache-2.0 */
/* Scripted misbehaviour: rules that requests use up, in order. */
#include <config.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "standin.h"

static bool
rule_matches(const struct sc_rule *r, const struct sc_request *q)
{
    if (r->times == 0)
        return false;
    if (r->at_end) {
        size_t n = strlen(q->uri), len = strlen(r->match);

        return len <= n && strcmp(q->uri + n - len, r->match) == 0;
    }
    if (strcmp(r->match, "*") == 0 || strstr(q->uri, r->match) != NULL)
        return true;
    char *plain = sc_unescape(q->uri, strlen(q->uri), true);
    bool ok = strstr(plain, r->match) != NULL;
    free(plain);
    return ok;
}

void
sc_script_match(struct sc_request *q)
{
    struct sc_server *s = q->server;

    for (size_t i = 0; i < s->nrules; i++) {
        struct sc_rule *r = &s->rules[i];

        if (!rule_matches(r, q))
            continue;
        if (r->skip > 0) {
            r->skip--;
            continue;
        }
        if (r->times > 0)
            r->times--;
        q->action = json_object_get(r->action);
        if (sc_action(q, "expireToken") != NULL)
            sc_sessions_expire(s);
        return;
    }
}

struct json_object *
sc_action(const struct sc_request *q, const char *key)
{
    struct json_object *v = NULL;

    if (q->action == NULL || !json_object_object_get_ex(q->action, key, &v))
        return NULL;
    return v;
}

/* Commands to run before, amid (race) or after the matched request. */
void
sc_script_hook(struct sc_request *q, const char *when)
{
    struct json_object *hook = sc_action(q, "hook"), *list = NULL;
    struct sc_fault e = { 0 };

    if (hook == NULL || !json_object_object_get_ex(hook, when, &list))
        return;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *c = json_object_array_get_idx(list, i);
        struct json_object *answer =
            sc_command(q->server, sc_json_str(c, "cmd", ""), c, &e);

        json_object_put(answer);
    }
    if (e.status != 0)
        (void) fprintf(stderr, "hook %s: %s\n", when, e.body);
    free(e.body);
}

static int
proxy_page(struct sc_request *q, int status)
{
    static const struct {
        int status;
        const char *text;
    } known[] = { { 429, "Too Many Requests" },
                  { 500, "Internal Server Error" },
                  { 502, "Bad Gateway" },
                  { 503, "Service Temporarily Unavailable" },
                  { 504, "Gateway Time-out" } };
    struct json_object *after = sc_action(q, "retryAfter");
    struct json_object *date = sc_action(q, "retryAfterDate");
    const char *text = "Error";
    struct sc_buf b = { 0 };
    char when[40];

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (known[i].status == status)
            text = known[i].text;
    sc_buf_fmt(&b,
               "<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n"
               "<center><h1>%d %s</h1></center>\r\n</body>\r\n</html>\r\n",
               status, text, status, text);
    struct MHD_Response *r =
        MHD_create_response_from_buffer(b.len, b.p, MHD_RESPMEM_MUST_FREE);
    q->bytes = b.len;
    sc_reply_header(r, "Content-Type", "text/html");
    if (after != NULL)
        sc_reply_header(r, "Retry-After", json_object_get_string(after));
    if (date != NULL) {
        sc_time_http(sc_now(q->server) + json_object_get_int64(date) * 1000,
                     when);
        sc_reply_header(r, "Retry-After", when);
    }
    return sc_reply_send(q, status, r);
}

static int
status_reply(struct sc_request *q, int status)
{
    struct json_object *body = sc_action(q, "body");

    if (body != NULL)
        return sc_reply_json(q, status, json_object_get_string(body));
    if (status == 500)
        return sc_reply_error(q, 500, NULL, "Internal Server Error", NULL);
    return proxy_page(q, status);
}

static int
login_page(struct sc_request *q)
{
    struct sc_buf b = { 0 };

    sc_buf_str(&b, "<!doctype html><html><head><title>Sign in</title>"
                   "</head><body><form method=\"post\"><input name=\"u\">"
                   "</form></body></html>");
    return sc_reply_buf(q, 200, "text/html", &b);
}

static int
redirect(struct sc_request *q, struct json_object *to)
{
    struct json_object *code = sc_action(q, "redirectStatus");
    struct MHD_Response *r = sc_reply_nothing();

    sc_reply_header(r, "Location", json_object_get_string(to));
    return sc_reply_send(q, code != NULL ? json_object_get_int(code) : 302, r);
}

struct bomb {
    int64_t left;
    bool begun;
};

static bool
bomb_more(void *arg, struct sc_buf *out)
{
    static const char blanks[] = "                                        "
                                 "                        "; /* 64 */
    struct bomb *b = arg;

    if (!b->begun)
        sc_buf_str(out, "{\"value\":[");
    b->begun = true;
    for (int i = 0; i < 4096 && b->left > 0; i++, b->left -= 64)
        sc_buf_put(out, blanks, 64);
    return b->left > 0;
}

/* -1: the request is to be answered as usual. */
int
sc_script_reply(struct sc_request *q)
{
    struct json_object *v;

    if ((v = sc_action(q, "status")) != NULL)
        return status_reply(q, json_object_get_int(v));
    if (sc_action(q, "html") != NULL)
        return login_page(q);
    if ((v = sc_action(q, "redirect")) != NULL)
        return redirect(q, v);
    if ((v = sc_action(q, "gzipBomb")) != NULL) {
        struct bomb *b = sc_alloc(sizeof(*b));

        b->left = json_object_get_int64(v);
        q->odata = true;
        return sc_reply_stream(q, sc_stream_new(q, bomb_more, free, b));
    }
    return -1;
}

void
sc_script_clear(struct sc_server *s)
{
    for (size_t i = 0; i < s->nrules; i++) {
        free(s->rules[i].match);
        json_object_put(s->rules[i].action);
    }
    free(s->rules);
    s->rules = NULL;
    s->nrules = 0;
}

static bool
known_action(struct json_object *action)
{
    static const char *const keys[] = {
        "status",      "body",
        "retryAfter",  "retryAfterDate",
        "cut",         "cutClean",
        "stall",       "wrongLength",
        "expireToken", "offOriginNextlink",
        "pageSize",    "gzipBomb",
        "badJson",     "html",
        "redirect",    "redirectStatus",
        "slow",        "hook",
        "put",         "headers",
        "ignore",
    };

    json_object_object_foreach(action, key, value)
    {
        size_t i = 0, n = sizeof(keys) / sizeof(*keys);

        (void) value;
        while (i < n && strcmp(keys[i], key) != 0)
            i++;
        if (i == n)
            return false;
    }
    return true;
}

/* "cut-clean" is "cutClean": both ways of writing a key are taken. */
static struct json_object *
camel(struct json_object *action)
{
    struct json_object *o = json_object_new_object();

    if (!json_object_is_type(action, json_type_object))
        return o;
    json_object_object_foreach(action, key, value)
    {
        char *name = sc_dup(key), *to = name;

        for (const char *c = key; *c != '\0'; c++)
            if (*c == '-' && c[1] != '\0')
                *to++ = (char) toupper((unsigned char) *++c);
            else
                *to++ = *c;
        *to = '\0';
        json_object_object_add(o, name, json_object_get(value));
        free(name);
    }
    return o;
}

/* False: a rule has no action, or one that does not exist. */
bool
sc_script_add(struct sc_server *s, struct json_object *rules)
{
    for (size_t i = 0; i < json_object_array_length(rules); i++) {
        struct json_object *o = json_object_array_get_idx(rules, i);
        struct json_object *action = NULL;

        (void) json_object_object_get_ex(o, "action", &action);
        action = camel(action);
        if (json_object_object_length(action) == 0 || !known_action(action)) {
            json_object_put(action);
            return false;
        }
        s->rules = realloc(s->rules, (s->nrules + 1) * sizeof(*s->rules));
        if (s->rules == NULL)
            abort();
        s->rules[s->nrules++] = (struct sc_rule){
            .match = sc_dup(sc_json_str(o, "match", "*")),
            .at_end = sc_json_bool(o, "end", false),
            .times = sc_json_int(o, "times", 1),
            .skip = sc_json_int(o, "skip", 0),
            .action = action,
        };
    }
    return true;
}
