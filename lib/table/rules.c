/* lib/table/rules.c - SPDX-License-Identifier: Apache-2.0 */
/* Privacy rules as texts: read, put in order, compared with older ones. */
#include <config.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "central/xform.h"
#include "core/hmac.h"
#include "core/mem.h"
#include "core/suggest.h"
#include "table/rules.h"
#include "table/sqltext.h"

enum { KEY_ID_LEN = 16, TEXT_MAX = 8 << 20 };

#define LATE "late-"

static enum odks_action
action_of(const char *to)
{
    static const char *const words[] = { "year", "month", "day" };

    for (size_t i = 0; i < 3; i++) {
        if (strcmp(words[i], to) == 0)
            return (enum odks_action)(ODKS_YEAR + i);
    }
    return ODKS_DECIMALS;
}

static void
add(struct odks_privacy *p, enum odks_action action, const char *item)
{
    size_t len = strlen(item);
    const char *to = "0";
    struct odks_rule rule = { .action = action };

    if (action == ODKS_DECIMALS && odks_config_coarsen(item, &len, &to)) {
        rule.action = action_of(to);
        rule.decimals = rule.action == ODKS_DECIMALS ? to[0] - '0' : 0;
    }
    rule.system = odks_config_is_system(p->conf, item, len);
    rule.name = odks_xstrndup(item, len);
    rule.said = odks_xasprintf("%s %s",
                               action == ODKS_DROP   ? "drop"
                               : action == ODKS_HASH ? "hash"
                                                     : "coarsen",
                               item);
    p->questions |= !rule.system;
    p->rule = odks_xreallocarray(p->rule, p->count + 1, sizeof(*p->rule));
    p->rule[p->count++] = rule;
}

static void
add_list(struct odks_privacy *p, enum odks_action action,
         const char *const *list)
{
    for (; list != NULL && *list != NULL; list++)
        add(p, action, *list);
}

static int
compare(const void *a, const void *b)
{
    const struct odks_rule *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : strcmp(x->said, y->said);
}

/* "drop", "hash:0123...", "month" or "3". */
static void
action_text(const struct odks_privacy *p, const struct odks_rule *rule,
            char text[32])
{
    static const char *const words[] = { "drop", "hash", "year", "month",
                                         "day" };

    if (rule->action == ODKS_HASH)
        (void) snprintf(text, 32, "hash:%s", p->key_id);
    else if (rule->action == ODKS_DECIMALS)
        (void) snprintf(text, 32, "%d", rule->decimals);
    else
        (void) snprintf(text, 32, "%s", words[rule->action]);
}

char *
odks_rules_text(const struct odks_privacy *p, const bool *late)
{
    CLEANUP_BUF struct odks_buf text = ODKS_BUF_INIT(TEXT_MAX);
    char action[32];

    for (size_t i = 0; p != NULL && i < p->count; i++) {
        action_text(p, &p->rule[i], action);
        /* three options of 64 kB at most always fit */
        if (!odks_buf_printf(&text, "%s%s%s %s", text.len > 0 ? ", " : "",
                             late != NULL && late[i] ? LATE : "", action,
                             p->rule[i].name))
            break;
    }
    return odks_xstrdup(text.data != NULL ? text.data : "");
}

void
odks_privacy_new(const struct odks_job_conf *conf, const char *key,
                 struct odks_privacy **privacy)
{
    static const char purpose[] = "fingerprint of a key of odk-sync";
    char digest[ODKS_HMAC_TEXT] = "";

    *privacy = NULL;
    if (conf->drop == NULL && conf->hash == NULL && conf->coarsen == NULL)
        return;
    struct odks_privacy *p = odks_xcalloc(1, sizeof(*p));
    p->conf = conf;
    p->key = key;
    if (key != NULL)
        odks_hmac(key, purpose, strlen(purpose), digest);
    p->key_id = odks_xstrndup(digest, KEY_ID_LEN);
    add_list(p, ODKS_DROP, conf->drop);
    add_list(p, ODKS_HASH, conf->hash);
    add_list(p, ODKS_DECIMALS, conf->coarsen);
    qsort(p->rule, p->count, sizeof(*p->rule), compare);
    p->text = odks_rules_text(p, NULL);
    *privacy = p;
}

void
odks_privacy_free(struct odks_privacy *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->count; i++) {
        free(p->rule[i].name);
        free(p->rule[i].said);
    }
    odks_mask_free(p->root);
    free(p->rule);
    free(p->key_id);
    free(p->text);
    free(p);
}

const char *
odks_privacy_text(const struct odks_privacy *p)
{
    return p != NULL ? p->text : "";
}

/* Is path the name of a group or that of something in it? */
static bool
is_within(const char *path, const char *name)
{
    size_t len = strlen(name);

    return strncmp(path, name, len) == 0
           && (path[len] == '\0' || path[len] == '/');
}

static bool
covers(const char *name, const char *path)
{
    if (name[0] == '/')
        return is_within(path, name);
    for (const char *p = strchr(path, '/'); p != NULL; p = strchr(p + 1, '/')) {
        if (is_within(p + 1, name))
            return true;
    }
    return false;
}

static bool
names(const char *name, const char *path)
{
    const char *last = strrchr(path, '/');

    return last != NULL && strcmp(name, name[0] == '/' ? path : last + 1) == 0;
}

/*
 * A rule may use the path in the form or the path in OData. For questions that
 * were removed from the form, only one path is known, and it may be either.
 */
static bool
meet(bool test(const char *, const char *), const struct odks_rule *rule,
     const char *path, const char *odata)
{
    if (rule->system)
        return false;
    if (test(rule->name, path))
        return true;
    if (odata != NULL)
        return test(rule->name, odata);
    CLEANUP_FREE char *name = odks_xform_odata_path(rule->name);
    CLEANUP_FREE char *made = odks_xform_odata_path(path);
    return test(name, path) || test(rule->name, made);
}

bool
odks_rule_covers(const struct odks_rule *rule, const char *path,
                 const char *odata)
{
    return meet(covers, rule, path, odata);
}

bool
odks_rule_names(const struct odks_rule *rule, const char *path,
                const char *odata)
{
    return meet(names, rule, path, odata);
}

const char *
odks_rule_system_from(const struct odks_rule *rule)
{
    static const char *const from[][2] = {
        { "_submitter", "__system/submitterName" },
        { "_device_id", "__system/deviceId" },
        { "_creator", "__system/creatorName" },
        { "_label", "label" },
    };

    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
        if (rule->system && strcmp(from[i][0], rule->name) == 0)
            return from[i][1];
    }
    return NULL;
}

/* Is r, a row of odk_sync_reject, about a question covered by that name? */
static void
add_reject_named(struct odks_sqltext *t, const char *name)
{
    const char *slash = name[0] == '/' ? "" : "/";
    CLEANUP_FREE char *text = odks_xasprintf("%s%s/", slash, name);

    odks_sql_add(t, slash[0] == '\0' ? " OR starts_with(r.path || '/', "
                                     : " OR 0 < strpos(r.path || '/', ");
    odks_sql_literal(t, text);
    odks_sql_add(t, ")");
}

void
odks_rule_add_rejects(struct odks_sqltext *t, const struct odks_rule *rule)
{
    const char *key = odks_rule_system_from(rule);
    CLEANUP_FREE char *clean = odks_xform_odata_path(rule->name);

    if (key != NULL) {
        odks_sql_add(t, " OR r.path = ");
        odks_sql_literal(t, key);
        return;
    }
    add_reject_named(t, rule->name);
    add_reject_named(t, clean);
}

/* Does what was made of a value by action hold no more than rule leaves? */
static bool
is_enough(const struct odks_privacy *p, const struct odks_rule *rule,
          const char *action)
{
    char wanted[32];

    action_text(p, rule, wanted);
    if (strcmp(action, "drop") == 0 || strcmp(action, wanted) == 0)
        return true;
    if (rule->action == ODKS_DECIMALS)
        return isdigit((unsigned char) action[0])
               && action[0] - '0' <= rule->decimals;
    enum odks_action other = action_of(action);
    return rule->action != ODKS_HASH && other != ODKS_DECIMALS
           && other <= rule->action;
}

bool
odks_rule_is_kept(const struct odks_privacy *p, const struct odks_rule *rule,
                  const char *have)
{
    CLEANUP_FREE char *copy = odks_xstrdup(have);
    char *rest = copy;

    for (char *item; (item = strsep(&rest, ",")) != NULL;) {
        item += item[0] == ' ';
        char *name = strchr(item, ' ');

        if (name == NULL)
            continue;
        *name++ = '\0';
        const struct odks_rule old = { .name = name };
        bool same = strcmp(name, rule->name) == 0;
        bool around = strcmp(item, "drop") == 0 && rule->name[0] == '/'
                      && odks_rule_covers(&old, rule->name, NULL);
        if ((same && is_enough(p, rule, item)) || around)
            return true;
    }
    return false;
}

bool
odks_rule_is_late(const struct odks_privacy *p, const struct odks_rule *rule,
                  const char *have)
{
    char action[32];

    action_text(p, rule, action);
    CLEANUP_FREE char *item = odks_xasprintf(LATE "%s %s", action, rule->name);
    size_t len = strlen(item);
    for (const char *at = have; (at = strstr(at, item)) != NULL; at += len) {
        if (at[len] == '\0' || at[len] == ',')
            return true;
    }
    return false;
}

size_t
odks_privacy_count(const struct odks_privacy *p)
{
    return p != NULL ? p->count : 0;
}

const char *
odks_privacy_rule(const struct odks_privacy *p, size_t i)
{
    return p->rule[i].said;
}

struct json_object *
odks_privacy_json(const struct odks_privacy *p)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < odks_privacy_count(p); i++) {
        struct json_object *o = json_object_new_object();
        char action[32];

        action_text(p, &p->rule[i], action);
        if (p->rule[i].action == ODKS_HASH)
            action[strcspn(action, ":")] = '\0';
        (void) json_object_object_add(o, "name",
                                      json_object_new_string(p->rule[i].name));
        (void) json_object_object_add(o, "rule",
                                      json_object_new_string(action));
        (void) json_object_array_add(list, o);
    }
    return list;
}

static void
collect(const struct odks_rule *rule, const struct odks_mask *m,
        struct odks_buf *text)
{
    if (odks_rule_names(rule, m->path, m->odata)
        && !odks_buf_printf(text, "%s%s", text->len > 0 ? ", " : "", m->path))
        return;
    for (size_t i = 0; i < m->count; i++)
        collect(rule, &m->child[i], text);
}

/* The names that rule could have meant; list may be NULL. */
static size_t
candidates(const struct odks_rule *rule, const struct odks_mask *m,
           const char **list, size_t n)
{
    for (size_t i = 0; i < m->count; i++) {
        if (list != NULL)
            list[n] =
                rule->name[0] == '/' ? m->child[i].path : m->child[i].name;
        n = candidates(rule, &m->child[i], list, n + 1);
    }
    return n;
}

char *
odks_privacy_questions(const struct odks_privacy *p, size_t i,
                       const char **meant)
{
    const struct odks_rule *rule = &p->rule[i];
    CLEANUP_BUF struct odks_buf text = ODKS_BUF_INIT(1 << 20);

    *meant = NULL;
    if (rule->system)
        return odks_xstrdup(odks_rule_system_from(rule));
    collect(rule, p->root, &text);
    if (text.len > 0)
        return odks_xstrdup(text.data);
    size_t n = candidates(rule, p->root, NULL, 0);
    CLEANUP_FREE const char **list = odks_xcalloc(n + 1, sizeof(*list));
    (void) candidates(rule, p->root, list, 0);
    *meant = odks_suggest(rule->name, list, n);
    return NULL;
}
