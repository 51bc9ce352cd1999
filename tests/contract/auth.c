/* tests/contract/auth.c - SPDX-License-Identifier: Apache-2.0 */
/* Users, sessions and who is asking. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "standin.h"

enum { SESSION_MS = 86400 * 1000 };

static const struct sc_user users[] = {
    { "sync-bot@example.org", "standin-secret", "Sync bot", 7, true, false },
    { "nobody@example.org", "standin-secret", "Nobody", 8, false, false },
    { "admin@example.org", "standin-secret", "admin@example.org", 5, true,
      true },
};

static const struct sc_user *
user_of(const char *mail, const char *password)
{
    for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++)
        if (strcasecmp(users[i].mail, mail) == 0)
            return strcmp(users[i].password, password) == 0 ? &users[i] : NULL;
    return NULL;
}

static struct sc_session *
session_of(struct sc_server *s, const char *token)
{
    for (size_t i = 0; i < s->nsessions; i++)
        if (strcmp(s->sessions[i].token, token) == 0
            && s->sessions[i].expires > sc_now(s))
            return &s->sessions[i];
    return NULL;
}

static bool
basic(struct sc_request *q, const char *encoded)
{
    struct sc_buf b = { 0 };
    const char *proto = sc_header(q, "X-Forwarded-Proto");

    q->origin = "basic";
    if (!q->server->tls && (proto == NULL || strcmp(proto, "https") != 0)) {
        (void) sc_reply_error(
            q, 401, "401.3",
            "This authentication method is only available over HTTPS", NULL);
        return false;
    }
    if (sc_unbase64(encoded, &b)) {
        char *colon = strchr(b.p, ':');

        if (colon != NULL) {
            *colon = '\0';
            q->user = user_of(b.p, colon + 1);
        }
    }
    sc_buf_free(&b);
    return true;
}

/* False: the refusal has been queued. */
bool
sc_auth(struct sc_request *q)
{
    const char *h = sc_header(q, "Authorization");

    if (h != NULL && strncasecmp(h, "Basic ", 6) == 0) {
        if (!basic(q, h + 6))
            return false;
    } else if (h != NULL && strncasecmp(h, "Bearer ", 7) == 0) {
        q->session = session_of(q->server, h + 7);
        q->user = q->session != NULL ? q->session->user : NULL;
    }
    if (q->user != NULL)
        return true;
    (void) sc_reply_error(
        q, 401, "401.2",
        "Could not authenticate with the provided credentials.", NULL);
    return false;
}

static void
token_make(struct sc_server *s, char out[65])
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq"
                              "rstuvwxyz0123456789!$";

    for (unsigned i = 0; i < 64; i++)
        out[i] = set[sc_mix(s->logins * 64 + i + 0x5e55) % 64];
    out[64] = '\0';
}

static int
missing(struct sc_request *q, const char *mail, const char *password)
{
    struct sc_buf m = { 0 }, d = { 0 };
    const char *sep = mail != NULL && password != NULL ? "," : "";

    sc_buf_fmt(&m,
               "Required parameters missing. Expected (email, password),"
               " got (email: %s%s%s, password: %s).",
               mail != NULL ? "'" : "", mail != NULL ? mail : "undefined",
               mail != NULL ? "'" : "",
               password != NULL ? "'...'" : "undefined");
    sc_buf_str(&d, "{\"expected\":[\"email\",\"password\"],\"got\":{");
    if (mail != NULL) {
        sc_buf_str(&d, "\"email\":");
        sc_buf_json(&d, mail);
    }
    sc_buf_fmt(&d, "%s%s}}", sep, password != NULL ? "\"password\":\"\"" : "");
    int ret = sc_reply_error(q, 400, "400.3", m.p, d.p);
    sc_buf_free(&m);
    sc_buf_free(&d);
    return ret;
}

static int
session_made(struct sc_request *q, const struct sc_user *user)
{
    struct sc_server *s = q->server;
    struct sc_buf b = { 0 };

    s->sessions =
        realloc(s->sessions, (s->nsessions + 1) * sizeof(s->sessions[0]));
    if (s->sessions == NULL)
        abort();
    struct sc_session *ss = &s->sessions[s->nsessions++];
    s->logins++;
    token_make(s, ss->token);
    ss->user = user;
    ss->created = sc_now(s);
    ss->expires = ss->created + SESSION_MS;
    sc_buf_fmt(&b,
               "{\"token\":\"%s\",\"csrf\":\"%.64s\",\"expiresAt\":", ss->token,
               ss->token);
    sc_buf_time(&b, ss->expires);
    sc_buf_str(&b, ",\"createdAt\":");
    sc_buf_time(&b, ss->created);
    sc_buf_str(&b, "}");
    return sc_reply_buf(q, 200, "application/json; charset=utf-8", &b);
}

int
sc_session_create(struct sc_request *q)
{
    const char *type = sc_header(q, "Content-Type");
    struct json_object *o = NULL;
    char details[64], msg[80];
    int ret;

    if (type == NULL || strncasecmp(type, "application/json", 16) != 0)
        return missing(q, NULL, NULL);
    o = q->body.p != NULL ? odks_json_read(q->body.p) : NULL;
    if (!json_object_is_type(o, json_type_object)) {
        json_object_put(o);
        (void) snprintf(msg, sizeof(msg),
                        "Could not parse the given data (%zu chars) as"
                        " json.",
                        q->body.len);
        (void) snprintf(details, sizeof(details),
                        "{\"format\":\"json\",\"rawLength\":%zu}", q->body.len);
        return sc_reply_error(q, 400, "400.1", msg, details);
    }
    const char *mail = sc_json_str(o, "email", NULL);
    const char *password = sc_json_str(o, "password", NULL);
    const struct sc_user *user =
        mail != NULL && password != NULL ? user_of(mail, password) : NULL;
    if (mail == NULL || password == NULL)
        ret = missing(q, mail, password);
    else if (user == NULL)
        ret = sc_reply_error(
            q, 401, "401.2",
            "Could not authenticate with the provided credentials.", NULL);
    else
        ret = session_made(q, user);
    json_object_put(o);
    return ret;
}

int
sc_session_delete(struct sc_request *q)
{
    if (q->session == NULL)
        return sc_reply_404(q);
    q->session->expires = 0;
    return sc_reply_json(q, 200, "{\"success\":true}");
}

void
sc_sessions_expire(struct sc_server *s)
{
    for (size_t i = 0; i < s->nsessions; i++)
        s->sessions[i].expires = 0;
}
