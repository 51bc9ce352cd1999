/* lib/db/connect_err.c - SPDX-License-Identifier: Apache-2.0 */
/* Why a connection to PostgreSQL could not be made. */
#include <config.h>

#include "db/internal.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "core/limit.h"

#define CHECK_KEYS                                             \
    "Correct it in [database], or in the environment variable" \
    " of libpq that sets it."

/*
 * What libpq itself says, without an SQLSTATE. The first text that occurs
 * decides; what is not listed may pass, as an answer that does not come.
 */
static const struct {
    const char *text;
    enum odks_exit code;
    const char *hint;
} refusals[] = {
    { "definition of service", ODKS_EXIT_CONFIG,
      "Correct service in [database] or PGSERVICE, or add the service to "
      "~/.pg_service.conf." },
    { "service file", ODKS_EXIT_CONFIG,
      "Correct the service file, or PGSERVICEFILE." },
    { "root certificate file", ODKS_EXIT_CONFIG,
      "Set sslrootcert in [database] to the file with the certificate of the "
      "authority." },
    { "has group or world access", ODKS_EXIT_NOPERM,
      "Run chmod 0600 on the private key." },
    { "private key file", ODKS_EXIT_CONFIG,
      "Correct sslcert and sslkey in [database]." },
    { "could not read certificate file", ODKS_EXIT_CONFIG,
      "Correct sslcert in [database]." },
    { "does not match host name", ODKS_EXIT_PROTOCOL,
      "Set host in [database] to a name that the server's certificate is "
      "for." },
    { "certificate verify failed", ODKS_EXIT_PROTOCOL,
      "Set sslrootcert in [database] to the certificate of the authority that "
      "signed the server's; that must not have expired." },
    { "server does not support SSL", ODKS_EXIT_CONFIG,
      "Turn ssl on at the server, or choose another sslmode in [database]." },
    { "server does not support GSSAPI", ODKS_EXIT_CONFIG,
      "Choose another gssencmode in [database]." },
    { "invalid response to SSL negotiation", ODKS_EXIT_CONFIG,
      "No PostgreSQL listens there: check host and port in [database]." },
    { "expected authentication request", ODKS_EXIT_CONFIG,
      "No PostgreSQL listens there: check host and port in [database]." },
    { "Unix-domain socket path", ODKS_EXIT_CONFIG,
      "Set host in [database] to a shorter directory." },
    { "Permission denied", ODKS_EXIT_NOPERM,
      "Let the user that runs odk-sync enter the directory of the socket." },
    { "channel binding", ODKS_EXIT_NOPERM,
      "Check channel_binding in [database]." },
    { "authentication method", ODKS_EXIT_NOPERM,
      "Check require_auth in [database], and pg_hba.conf on the server." },
    { "session is ", ODKS_EXIT_TEMPFAIL,
      "Check target_session_attrs in [database]: none of its hosts fits now." },
    { "hot standby mode", ODKS_EXIT_TEMPFAIL,
      "Check target_session_attrs in [database]: none of its hosts fits now." },
    { "could not translate host name", ODKS_EXIT_TEMPFAIL,
      "Check host in [database], and the name service of this machine." },
    { "invalid ", ODKS_EXIT_CONFIG, CHECK_KEYS },
    { "could not match ", ODKS_EXIT_CONFIG, CHECK_KEYS },
    { "missing \"=\" after", ODKS_EXIT_CONFIG, CHECK_KEYS },
    { "weak sslmode", ODKS_EXIT_CONFIG, CHECK_KEYS },
    { "conflicting ", ODKS_EXIT_CONFIG, CHECK_KEYS },
    /* poolers give all of their refusals one SQLSTATE */
    { "no such database", ODKS_EXIT_CONFIG,
      "Check dbname in [database], and the pooler's list of databases." },
    { "no such user", ODKS_EXIT_NOPERM,
      "Check user in [database], and the pooler's list of users." },
    { "unsupported startup parameter", ODKS_EXIT_CONFIG,
      "Let the pooler ignore it (ignore_startup_parameters), or take it out of "
      "[database]." },
};

/* States that mean something else when there is no connection yet. */
static const struct {
    const char *prefix;
    enum odks_exit code;
    const char *hint;
} states[] = {
    { "42501", ODKS_EXIT_NOPERM, "GRANT CONNECT ON DATABASE ... TO the role." },
    { "42", ODKS_EXIT_CONFIG, "Check options in [database], or PGOPTIONS." },
    { "22", ODKS_EXIT_CONFIG, "Check options in [database], or PGOPTIONS." },
    { "55000", ODKS_EXIT_CONFIG,
      "Check dbname in [database]; the database must accept connections." },
};

/* PQERRORS_VERBOSE prints "FATAL:  28P01: password ..."; else "". */
static void
find_state(const char *text, char state[6])
{
    state[0] = '\0';
    for (const char *p = strstr(text, ":  "); p != NULL;
         p = strstr(p + 1, ":  ")) {
        const char *code = p + 3;
        size_t n = 0;

        while (n < 5
               && (isupper((unsigned char) code[n])
                   || isdigit((unsigned char) code[n])))
            n++;
        if (n == 5 && code[5] == ':') {
            memcpy(state, code, 5);
            state[5] = '\0';
            return;
        }
    }
}

/* A refusal without an SQLSTATE of its own. */
static bool
judge_text(const char *said, struct odks_err *err)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (strstr(said, refusals[i].text) == NULL)
            continue;
        err->code = refusals[i].code;
        odks_err_hint(err, "%s", refusals[i].hint);
        return true;
    }
    return false;
}

static void
judge_state(const char *state, struct odks_err *err)
{
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strncmp(state, states[i].prefix, strlen(states[i].prefix)) != 0)
            continue;
        err->code = states[i].code;
        odks_err_hint(err, "%s", states[i].hint);
        return;
    }
}

void
odks_db_connect_said(const char *said, struct odks_err *err)
{
    const char *last = said[0] != '\0' ? said : "no answer";
    char state[6];

    find_state(said, state);
    if (state[0] != '\0')
        last = strstr(said, state) + 7;
    odks_db_set_err(err, state, "");
    /* the lines after the first are LOCATION and what other hosts said */
    odks_err_message(err, "cannot connect to the database: %.*s",
                     (int) strcspn(last, "\n"), last);
    if (state[0] == '\0' && odks_limit_near(err)) {
        odks_err_context(err, "cannot connect to the database");
        return;
    }
    if (state[0] != '\0') {
        odks_err_detail(err, "SQLSTATE %s", state);
        judge_state(state, err);
        if (strncmp(state, "08", 2) == 0)
            (void) judge_text(said, err);
    } else if (!judge_text(said, err)) {
        odks_err_hint(err, "Check host and port in [database], and that the "
                           "server runs.");
    }
}

bool
odks_db_is_secret_setting(const char *name, size_t len)
{
    static const char *const words[] = { "pass", "secret", "token", "key" };

    for (size_t i = 0; i < len; i++) {
        for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
            size_t n = strlen(words[k]);

            if (n <= len - i && strncasecmp(name + i, words[k], n) == 0)
                return true;
        }
    }
    return false;
}

static void
hide_in(char *text, const char *secret)
{
    size_t len = strlen(secret);
    size_t stars = len < 3 ? len : 3;

    for (char *at; len > 0 && (at = strstr(text, secret)) != NULL;
         text = at + stars) {
        memset(at, '*', stars);
        memmove(at + stars, at + len, strlen(at + len) + 1);
    }
}

/*
 * The server quotes options in its errors, and a setting of the user's own may
 * be a password. A space within a value is written "\\ ".
 */
static void
hide_options(const char *options, struct odks_err *err)
{
    char value[sizeof(err->message)];
    const char *name = options;

    for (const char *s = options; *s != '\0'; s++) {
        size_t len = 0;

        if (*s == ' ')
            name = s;
        if (*s != '=' || !odks_db_is_secret_setting(name, (size_t) (s - name)))
            continue;
        for (; s[1] != '\0' && s[1] != ' ' && len < sizeof(value) - 1; s++) {
            if (s[1] == '\\' && s[2] != '\0')
                s++;
            value[len++] = s[1];
        }
        value[len] = '\0';
        hide_in(err->message, value);
        hide_in(err->detail, value);
    }
}

void
odks_db_connect_err(PGconn *conn, struct odks_err *err)
{
    PQconninfoOption *all = PQconninfo(conn);

    odks_db_connect_said(PQerrorMessage(conn), err);
    for (const PQconninfoOption *o = all; o != NULL && o->keyword != NULL;
         o++) {
        if (o->val != NULL && strcmp(o->keyword, "options") == 0)
            hide_options(o->val, err);
    }
    PQconninfoFree(all);
    if (!PQconnectionNeedsPassword(conn))
        return;
    err->code = ODKS_EXIT_NOPERM;
    odks_err_hint(err, "Give password_file in [database], or ~/.pgpass.");
}
