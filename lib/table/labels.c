/* lib/table/labels.c - SPDX-License-Identifier: Apache-2.0 */
/* What the form says, beside what the database has. */
#include <config.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/hash.h"
#include "core/mem.h"
#include "sql/queries.h"
#include "table/types.h"
#include "table/viewplan.h"

enum { ODATA, TABLE_NAME, NAME, TYPE, COMMENT }; /* view_columns.sql */

/* --- languages ------------------------------------------------------------ */

/* "fr" of "Français (fr)"; NULL if there is no code. */
static char *
code_of(const char *language)
{
    const char *open = strrchr(language, '(');
    size_t len = open != NULL ? strcspn(open + 1, ")") : 0;

    return len > 0 && strcmp(open + 1 + len, ")") == 0
               ? odks_xstrndup(open + 1, len)
               : NULL;
}

size_t
odks_language_find(const struct odks_xform *xform, const char *meant)
{
    for (size_t i = 0; i < xform->language_count; i++) {
        CLEANUP_FREE char *code = code_of(xform->language[i]);

        if (strcasecmp(xform->language[i], meant) == 0
            || (code != NULL && strcasecmp(code, meant) == 0))
            return i;
    }
    return xform->language_count;
}

char *
odks_language_suffix(const char *language)
{
    CLEANUP_FREE char *code = code_of(language);
    /* a name that begins with a letter gets nothing in front */
    CLEANUP_FREE char *whole =
        odks_xasprintf("l_%s", code != NULL ? code : language);
    CLEANUP_FREE char *snake = odks_name_snake(whole);
    const char *suffix = snake + 2;

    for (size_t len = strlen(snake); len > 2 && snake[len - 1] == '_';)
        snake[--len] = '\0';
    suffix += strspn(suffix, "_");
    return odks_xstrdup(*suffix != '\0' ? suffix : ODKS_LANGUAGE_DEFAULT);
}

/* --- columns and their questions ------------------------------------------ */

const struct odks_source *
odks_source_find(const struct odks_source_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->column[i].name, name) == 0)
            return &table->column[i];
    }
    return NULL;
}

static void
read_table(const struct odks_views *v, struct odks_source_table *table)
{
    for (int row = 0; row < PQntuples(v->columns); row++) {
        if (strcmp(odks_db_text(v->columns, row, ODATA), table->table->odata)
            != 0)
            continue;
        table->name = odks_db_text(v->columns, row, TABLE_NAME);
        table->column = odks_xreallocarray(table->column, table->count + 1,
                                           sizeof(*table->column));
        table->column[table->count++] = (struct odks_source){
            .name = odks_db_text(v->columns, row, NAME),
            .oid = odks_type_numbered(odks_db_int64(v->columns, row, TYPE)),
            .comment = odks_db_text(v->columns, row, COMMENT),
            .part = "",
        };
    }
}

static void
find_questions(const struct odks_views *v, struct odks_source_table *to)
{
    const struct odks_table *table = to->table;

    CLEANUP(odks_index_clear) struct odks_index columns = { 0 };

    for (size_t c = 0; c < to->count; c++)
        (void) odks_index_put(&columns, to->column[c].name, c);
    for (size_t i = 0; i < table->target_count; i++) {
        const struct odks_target *target = &table->target[i];
        const struct odks_type *type = odks_type(target->field->type);

        for (size_t k = 0; k < type->count; k++) {
            size_t c;

            if (!odks_index_get(&columns,
                                table->column[target->column + k].name, &c))
                continue;
            struct odks_source *source = &to->column[c];
            source->field = target->field;
            source->part = type->part[k].name;
            if (v->xform != NULL)
                source->question =
                    odks_xform_question(v->xform, target->field->path);
        }
    }
}

bool
odks_views_read(struct odks_views *v, struct odks_err *err)
{
    struct odks_model_key key;

    v->columns = odks_db_query(v->db, &odks_sql_view_columns,
                               odks_model_key(v->conf->form, &key), err);
    if (v->columns == NULL)
        return false;
    v->table = odks_xcalloc(v->model->table_count, sizeof(*v->table));
    for (size_t i = 0; i < v->model->table_count; i++) {
        v->table[i].table = v->model->table[i];
        read_table(v, &v->table[i]);
        find_questions(v, &v->table[i]);
    }
    return true;
}

/* --- choices -------------------------------------------------------------- */

static void
add_text(struct json_object *o, const char *key, const char *text)
{
    (void) json_object_object_add(o, key, json_object_new_string(text));
}

/* Distinguishes choices that share a name, regardless of their position. */
static void
add_variant(struct json_object *o, const struct odks_choice *choice,
            size_t position, struct odks_names *variants)
{
    struct json_object *properties = json_object_new_object();
    uint64_t hash = odks_hash_text(ODKS_HASH_INIT, choice->name);

    for (char **p = choice->property; *p != NULL; p += 2) {
        add_text(properties, p[0], p[1]);
        hash = odks_hash_text(odks_hash_text(hash, p[0]), p[1]);
    }
    CLEANUP_FREE char *variant = odks_xasprintf("%016" PRIx64, hash);
    if (odks_names_has(variants, variant)) { /* they are the same in all */
        free(variant);
        variant = odks_xasprintf("%016" PRIx64 "-%zu", hash, position);
    }
    odks_names_add(variants, variant);
    add_text(o, "variant", variant);
    (void) json_object_object_add(o, "properties", properties);
}

static struct json_object *
choice_json(const struct odks_xform *xform, const struct odks_choice_list *list,
            size_t i, struct odks_names *variants)
{
    const struct odks_choice *choice = &list->choice[i];
    const char *label = odks_label_text(&choice->label, 0);
    struct json_object *o = json_object_new_object();
    struct json_object *labels = json_object_new_object();

    for (size_t l = 0; l < xform->language_count; l++) {
        const char *text = odks_label_in(&choice->label, l);

        if (text != NULL && text != label)
            add_text(labels, xform->language[l], text);
    }
    add_text(o, "list", list->name);
    add_text(o, "name", choice->name);
    add_text(o, "label", label != NULL ? label : choice->name);
    (void) json_object_object_add(o, "labels", labels);
    (void) json_object_object_add(o, "position",
                                  json_object_new_int((int) i + 1));
    add_text(o, "variant", "");
    if (choice->is_ambiguous)
        add_variant(o, choice, i + 1, variants);
    return o;
}

bool
odks_choices_save(const struct odks_views *v, struct odks_err *err)
{
    const struct odks_model_conf *form = v->conf->form;
    const struct odks_xform *xform = v->xform;
    char project[ODKS_DB_INT64_TEXT];
    CLEANUP_JSON struct json_object *languages = json_object_new_array();
    CLEANUP_JSON struct json_object *choices = json_object_new_array();

    for (size_t i = 0; i < xform->language_count; i++)
        (void) json_object_array_add(
            languages, json_object_new_string(xform->language[i]));
    for (size_t i = 0; i < xform->list_count; i++) {
        CLEANUP(odks_names_clear) struct odks_names variants = { 0 };

        for (size_t k = 0; k < xform->list[i].count; k++)
            (void) json_object_array_add(
                choices, choice_json(xform, &xform->list[i], k, &variants));
    }
    const char *const params[] = { form->central,
                                   odks_db_int64_param(form->project, project),
                                   form->form_id,
                                   json_object_get_string(languages),
                                   json_object_get_string(choices) };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(v->db, &odks_sql_choice_save, params, err);
    return res != NULL;
}
