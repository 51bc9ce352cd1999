/* lib/table/mask.c - SPDX-License-Identifier: Apache-2.0 */
/* Privacy rules bound to the fields of a form, and carried out on its rows. */
#include <config.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/hmac.h"
#include "core/mem.h"
#include "table/number.h"
#include "table/rules.h"
#include "table/tree.h"
#include "table/types.h"

static bool
is_branch(enum odks_field_type type)
{
    return type == ODKS_FIELD_GROUP || type == ODKS_FIELD_REPEAT;
}

static void
clear(struct odks_mask *m)
{
    for (size_t i = 0; i < m->count; i++)
        clear(&m->child[i]);
    if (m->index != NULL)
        lh_table_free(m->index);
    free(m->child);
    free(m->name);
    free(m->path);
    free(m->odata);
}

void
odks_mask_free(struct odks_mask *root)
{
    if (root == NULL)
        return;
    clear(root);
    free(root);
}

static bool
say_the_same(const struct odks_rule *a, const struct odks_rule *b)
{
    return a->action == b->action && a->decimals == b->decimals;
}

static bool
contradict(const struct odks_mask *m, const struct odks_rule *a,
           const struct odks_rule *b, struct odks_err *err)
{
    odks_err_set(err, ODKS_EXIT_CONFIG,
                 "\"%s\" and \"%s\" contradict each other at %s", a->said,
                 b->said, m->path);
    odks_err_hint(err, "Leave one of them, or name the questions one by one.");
    return false;
}

/* The rule that all which name m agree on, NULL: none names it. */
static bool
find_rule(struct odks_privacy *p, const struct odks_mask *m,
          const struct odks_rule **found, struct odks_err *err)
{
    *found = NULL;
    for (size_t i = 0; i < p->count; i++) {
        struct odks_rule *rule = &p->rule[i];

        if (!odks_rule_names(rule, m->path, m->odata))
            continue;
        rule->matched = true;
        if (*found != NULL && !say_the_same(rule, *found))
            return contradict(m, *found, rule, err);
        *found = rule;
    }
    return true;
}

/* Can the rule be carried out on values of the type? */
static bool
fits(const struct odks_rule *rule, enum odks_field_type type)
{
    bool place = odks_type(type)->geometry != NULL;

    switch (rule->action) {
    case ODKS_DROP:
        return true;
    case ODKS_HASH:
        return !place;
    case ODKS_DECIMALS:
        return place;
    case ODKS_DAY:
        return type == ODKS_FIELD_DATETIME;
    default:
        return type == ODKS_FIELD_DATE || type == ODKS_FIELD_DATETIME;
    }
}

static bool
check_type(const struct odks_mask *m, struct odks_err *err)
{
    static const char *const hints[] = {
        [ODKS_HASH] = "A place can be coarsened, to decimals, or dropped.",
        [ODKS_YEAR] = "year and month are for date and dateTime.",
        [ODKS_MONTH] = "year and month are for date and dateTime.",
        [ODKS_DAY] = "day is for dateTime.",
        [ODKS_DECIMALS] = "Decimals are for geopoint, geotrace and geoshape.",
    };

    if (m->rule == NULL || fits(m->rule, m->type))
        return true;
    odks_err_set(err, ODKS_EXIT_CONFIG,
                 "\"%s\" does not go with %s, which is of type %s",
                 m->rule->said, m->path, odks_type(m->type)->name);
    odks_err_hint(err, "%s", hints[m->rule->action]);
    return false;
}

static bool make(struct odks_privacy *p, const struct odks_field *field,
                 const struct odks_rule *above, struct odks_mask *m,
                 struct odks_err *err);

static bool
make_children(struct odks_privacy *p, const struct odks_field *field,
              struct odks_mask *m, struct odks_err *err)
{
    m->child = odks_xcalloc(field->child_count, sizeof(*m->child));
    m->index = lh_kchar_table_new((int) field->child_count + 1, NULL);
    for (size_t i = 0; i < field->child_count; i++) {
        struct odks_mask *child = &m->child[m->count++];

        if (!make(p, field->child[i], m->rule, child, err))
            return false;
        m->below |= child->below;
        (void) lh_table_insert(m->index, child->name, child);
    }
    return true;
}

/* above: the rule of the group or repeat that field is in. */
static bool
make(struct odks_privacy *p, const struct odks_field *field,
     const struct odks_rule *above, struct odks_mask *m, struct odks_err *err)
{
    const struct odks_rule *own;

    m->name = odks_xstrdup(field->name);
    m->path = odks_xstrdup(field->path);
    m->odata = odks_xstrdup(odks_field_odata(field));
    m->type = field->type;
    if (!find_rule(p, m, &own, err))
        return false;
    bool dropped = above != NULL && above->action == ODKS_DROP;
    if (!dropped && above != NULL && own != NULL && own->action != ODKS_DROP
        && !say_the_same(own, above))
        return contradict(m, above, own, err);
    m->rule = dropped || own == NULL ? above : own;
    m->below = m->rule != NULL;
    if (is_branch(m->type))
        return make_children(p, field, m, err);
    return check_type(m, err);
}

/* Leave in the fields what the rules leave of them. */
static void
reshape(struct odks_field *field, const struct odks_mask *m)
{
    size_t kept = 0;

    if (m->rule != NULL && m->rule->action == ODKS_HASH && !is_branch(m->type))
        field->type = ODKS_FIELD_TEXT;
    for (size_t i = 0; i < m->count; i++) {
        const struct odks_rule *rule = m->child[i].rule;

        if (rule != NULL && rule->action == ODKS_DROP) {
            odks_field_free(field->child[i]);
            continue;
        }
        reshape(field->child[i], &m->child[i]);
        field->child[kept++] = field->child[i];
    }
    if (is_branch(m->type))
        field->child_count = kept;
}

bool
odks_privacy_bind(struct odks_privacy *p, struct odks_field *fields,
                  struct odks_err *err)
{
    if (p == NULL)
        return true;
    odks_mask_free(p->root);
    p->root = odks_xcalloc(1, sizeof(*p->root));
    for (size_t i = 0; i < p->count; i++)
        p->rule[i].matched = p->rule[i].system;
    if (!make(p, fields, NULL, p->root, err)) {
        odks_err_context(err, "[job %s]", p->conf->sync_type);
        return false;
    }
    reshape(fields, p->root);
    return true;
}

static const struct odks_mask *
find_path(const struct odks_mask *m, const char *path)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct odks_mask *child = &m->child[i];
        size_t len = strlen(child->path);

        if (strncmp(child->path, path, len) != 0)
            continue;
        if (path[len] == '\0')
            return child;
        if (path[len] == '/')
            return find_path(child, path);
    }
    return NULL;
}

bool
odks_privacy_masks(const struct odks_privacy *p, const char *path)
{
    const struct odks_mask *m =
        p != NULL && p->root != NULL ? find_path(p->root, path) : NULL;

    return m != NULL && m->rule != NULL;
}

bool
odks_privacy_drops_repeat(const struct odks_privacy *p, const char *odata)
{
    CLEANUP_FREE char *path = odks_table_path(odata);
    const struct odks_mask *m = p != NULL && p->root != NULL && path[0] != '\0'
                                    ? find_path(p->root, path)
                                    : NULL;

    return m != NULL && m->rule != NULL && m->rule->action == ODKS_DROP;
}

/* The value as Central sent it, as text; false: it is none that has one. */
static bool
text_of(struct json_object *value, const char **text, size_t *len)
{
    struct odks_number n;

    switch (json_object_get_type(value)) {
    case json_type_string:
        *text = json_object_get_string(value);
        *len = (size_t) json_object_get_string_len(value);
        return true;
    case json_type_boolean:
        *text = json_object_get_boolean(value) ? "true" : "false";
        *len = strlen(*text);
        return true;
    case json_type_int:
    case json_type_double:
        if (odks_number_read(value, &n) != NULL)
            return false;
        *text = n.text.p;
        *len = n.text.len;
        /* what odks_rows_next() put behind a long whole number */
        if (n.exponent == 0 && n.fraction == NULL && n.whole_len + 2 <= *len
            && memcmp(*text + *len - 2, "e0", 2) == 0)
            *len -= 2;
        return true;
    default:
        return false;
    }
}

static struct json_object *
hashed(const struct odks_privacy *p, struct json_object *value)
{
    char digest[ODKS_HMAC_TEXT];
    const char *text;
    size_t len;

    if (p->key == NULL || !text_of(value, &text, &len))
        return NULL;
    /* that is how Central says that a property is not set */
    if (len == 0 && p->conf->dataset != NULL)
        return json_object_get(value);
    odks_hmac(p->key, text, len, digest);
    return json_object_new_string(digest);
}

static struct json_object *
masked(const struct odks_privacy *p, const struct odks_mask *m,
       struct json_object *value)
{
    switch (m->rule->action) {
    case ODKS_HASH:
        return hashed(p, value);
    case ODKS_DECIMALS:
        return odks_coarse_place(m->rule, m->type, value);
    case ODKS_DROP:
        return NULL;
    default:
        return odks_coarse_date(m->rule, m->type, p->conf->timezone, value);
    }
}

/* What Central itself puts beside the answers. */
static bool
is_of_central(const struct odks_privacy *p, const char *key, bool root)
{
    if (strcmp(key, "__id") == 0)
        return true;
    if (!root)
        return strncmp(key, "__Submissions", 13) == 0;
    return strcmp(key, "__system") == 0
           || (p->conf->dataset != NULL && strcmp(key, "label") == 0);
}

/* "person@odata.navigationLink" belongs to person. */
static const struct odks_mask *
mask_of(const struct odks_mask *m, const char *key)
{
    CLEANUP_FREE char *name = odks_xstrndup(key, strcspn(key, "@"));
    void *found = NULL;

    (void) lh_table_lookup_ex(m->index, name, &found);
    return found;
}

/*
 * Where none belongs, it may hold questions of a version of the form that was
 * published after we asked for its fields.
 */
static bool
is_container(struct json_object *value)
{
    return json_object_is_type(value, json_type_object)
           || json_object_is_type(value, json_type_array);
}

static bool
is_place(const struct odks_mask *m, struct json_object *value)
{
    return odks_type(m->type)->geometry != NULL
           && json_object_is_type(value, json_type_object)
           && json_object_object_get_ex(value, "coordinates", NULL);
}

static void mask_object(const struct odks_privacy *p, const struct odks_mask *m,
                        struct json_object *object);

static void
mask_rows(const struct odks_privacy *p, const struct odks_mask *m,
          struct json_object *rows)
{
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);

        if (json_object_is_type(row, json_type_object))
            mask_object(p, m, row);
        else if (m->below || is_container(row))
            (void) json_object_array_put_idx(rows, i, NULL);
    }
}

/* false: nothing of it may stay. */
static bool
mask_branch(const struct odks_privacy *p, const struct odks_mask *m,
            struct json_object *value)
{
    bool repeat = m->type == ODKS_FIELD_REPEAT;

    if (!repeat && json_object_is_type(value, json_type_object))
        mask_object(p, m, value);
    else if (repeat && json_object_is_type(value, json_type_array))
        mask_rows(p, m, value);
    else
        return !m->below && !is_container(value);
    return true;
}

static void
mask_member(const struct odks_privacy *p, const struct odks_mask *m,
            struct json_object *object, const char *key,
            struct json_object *value)
{
    if (value == NULL || strchr(key, '@') != NULL)
        return;
    if (is_branch(m->type)) {
        if (!mask_branch(p, m, value))
            (void) json_object_object_add(object, key, NULL);
    } else if (m->rule != NULL) {
        (void) json_object_object_add(object, key, masked(p, m, value));
    } else if (is_container(value) && !is_place(m, value)) {
        (void) json_object_object_add(object, key, NULL);
    }
}

/*
 * A key that no field has is of a version of the form that was published after
 * we asked for its fields: what rules say of it is not known, so it waits.
 */
static void
mask_object(const struct odks_privacy *p, const struct odks_mask *m,
            struct json_object *object)
{
    json_object_object_foreach(object, key, value)
    {
        const struct odks_mask *child = mask_of(m, key);

        if (child == NULL && is_of_central(p, key, m == p->root))
            continue;
        if (child == NULL
            || (child->rule != NULL && child->rule->action == ODKS_DROP))
            json_object_object_del(object, key);
        else
            mask_member(p, child, object, key, value);
    }
}

static void
mask_key(const struct odks_privacy *p, const struct odks_rule *rule,
         struct json_object *object, const char *key)
{
    struct json_object *value = NULL;

    if (!json_object_is_type(object, json_type_object)
        || !json_object_object_get_ex(object, key, &value))
        return;
    if (rule->action == ODKS_DROP)
        json_object_object_del(object, key);
    else if (value != NULL)
        (void) json_object_object_add(object, key, hashed(p, value));
}

static void
mask_system(const struct odks_privacy *p, const struct odks_rule *rule,
            struct json_object *row)
{
    const char *from = odks_rule_system_from(rule);
    struct json_object *system = NULL;

    if (from == NULL)
        return;
    const char *key = strchr(from, '/');
    if (key == NULL) {
        mask_key(p, rule, row, from);
        return;
    }
    (void) json_object_object_get_ex(row, "__system", &system);
    mask_key(p, rule, system, key + 1);
    /* the number of a user tells as much as the name */
    if (strcmp(key, "/submitterName") == 0)
        mask_key(p, rule, system, "submitterId");
    if (strcmp(key, "/creatorName") == 0)
        mask_key(p, rule, system, "creatorId");
}

void
odks_privacy_mask(const struct odks_privacy *p, struct json_object *row)
{
    if (p == NULL || p->root == NULL
        || !json_object_is_type(row, json_type_object))
        return;
    for (size_t i = 0; i < p->count; i++)
        mask_system(p, &p->rule[i], row);
    if (p->questions)
        mask_object(p, p->root, row);
}
