/* lib/table/tree.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/tree.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/suggest.h"
#include "table/system.h"
#include "table/types.h"

static const struct repeat_column {
    const char *name;
    const char *pg_type;
} repeat_columns[ODKS_REPEAT_COLUMNS] = {
    { "_id", "text" },
    { "_parent_id", "text" },
    { "_submission_id", "text" },
    { "_position", "integer" },
};

void
odks_table_add_column(struct odks_table *table, const char *name,
                      const char *pg_type, enum odks_oid oid)
{
    table->column = odks_xreallocarray(table->column, table->column_count + 1,
                                       sizeof(*table->column));
    table->column[table->column_count++] =
        (struct odks_column){ odks_xstrdup(name), odks_xstrdup(pg_type), oid };
}

/* A column of ours, whose type we name. */
static void
add_own_column(struct odks_table *table, const char *name, const char *pg_type)
{
    odks_table_add_column(table, name, pg_type, odks_type_named(pg_type));
}

/* "/group/repeat" is "Submissions.group.repeat" in OData. */
static char *
odata_name(enum odks_feed feed, const char *path)
{
    char *name = odks_xasprintf("%s%s", odks_feed_names(feed)->table, path);

    for (char *p = name; (p = strchr(p, '/')) != NULL;)
        *p = '.';
    return name;
}

/* What the registry calls the table of a repeat: see struct odks_table. */
static char *
name_source(enum odks_feed feed, const struct odks_field *field)
{
    if (field->odata == NULL)
        return odata_name(feed, field->path);
    return odks_xasprintf("%s%s", odks_feed_names(feed)->table, field->path);
}

char *
odks_table_path(const char *odata)
{
    const char *below = strpbrk(odata, "./");
    char *path = odks_xstrdup(below != NULL ? below : "");

    if (path[0] == '.') {
        for (char *p = path; (p = strchr(p, '.')) != NULL;)
            *p = '/';
    }
    return path;
}

static bool
is_called(enum odks_feed feed, const struct odks_table *table, const char *name)
{
    CLEANUP_FREE char *odata = odata_name(feed, odks_field_odata(table->root));

    return strcmp(name, table->odata) == 0 || strcmp(name, odata) == 0;
}

static bool
is_wanted(const struct odks_model_conf *conf, const struct odks_table *table)
{
    if (conf->tables == NULL)
        return true;
    for (size_t i = 0; conf->tables[i] != NULL; i++) {
        if (is_called(conf->feed, table, conf->tables[i]))
            return true;
    }
    return false;
}

static void
add_system(struct odks_table *table, const struct odks_system *system)
{
    for (size_t i = 0; i < system->count; i++)
        add_own_column(table, system->column[i].name,
                       system->column[i].pg_type);
}

static struct odks_table *
add_table(struct odks_model *model, const struct odks_model_conf *conf,
          const struct odks_field *field, struct odks_table *parent)
{
    struct odks_table *table = odks_xcalloc(1, sizeof(*table));

    table->odata = name_source(conf->feed, field);
    table->root = field;
    table->parent = parent;
    table->wanted = is_wanted(conf, table);
    if (parent == NULL)
        add_system(table, odks_system(conf->feed));
    for (size_t i = 0; parent != NULL && i < ODKS_REPEAT_COLUMNS; i++)
        add_own_column(table, repeat_columns[i].name,
                       repeat_columns[i].pg_type);
    table->system_count = table->column_count;
    model->table = odks_xreallocarray(model->table, model->table_count + 1,
                                      sizeof(*model->table));
    model->table[model->table_count++] = table;
    return table;
}

static size_t
count_repeats(const struct odks_field *field)
{
    size_t count = field->type == ODKS_FIELD_REPEAT;

    for (size_t i = 0; i < field->child_count; i++)
        count += count_repeats(field->child[i]);
    return count;
}

static bool
check_repeats(const struct odks_field *fields, struct odks_err *err)
{
    size_t count = count_repeats(fields);

    if (count < ODKS_MODEL_TABLES)
        return true;
    odks_err_set(err, ODKS_EXIT_DATA,
                 "the form has %zu repeats, and odk-sync mirrors %d at most",
                 count, ODKS_MODEL_TABLES - 1);
    odks_err_hint(err, "Leave repeats out with drop =.");
    return false;
}

static void
add_repeats(struct odks_model *model, const struct odks_model_conf *conf,
            const struct odks_field *field, struct odks_table *parent)
{
    for (size_t i = 0; i < field->child_count; i++) {
        const struct odks_field *child = field->child[i];
        struct odks_table *table = parent;

        if (child->type == ODKS_FIELD_REPEAT)
            table = add_table(model, conf, child, parent);
        add_repeats(model, conf, child, table);
    }
}

static bool
check_tables(const struct odks_model *model, const struct odks_model_conf *conf,
             struct odks_err *err)
{
    CLEANUP_FREE const char **known =
        odks_xcalloc(model->table_count + 1, sizeof(*known));

    for (size_t i = 0; i < model->table_count; i++)
        known[i] = model->table[i]->odata;
    for (size_t i = 0; conf->tables != NULL && conf->tables[i] != NULL; i++) {
        size_t k = 0;

        while (k < model->table_count
               && !is_called(conf->feed, model->table[k], conf->tables[i]))
            k++;
        if (k < model->table_count)
            continue;
        const char *meant =
            odks_suggest(conf->tables[i], known, model->table_count);
        odks_err_set(err, ODKS_EXIT_CONFIG, "form %s has no table %s",
                     conf->form_id, conf->tables[i]);
        if (meant != NULL)
            odks_err_hint(err, "Did you mean %s?", meant);
        else
            odks_err_hint(err, "Leave tables = out to have all of them.");
        return false;
    }
    return true;
}

bool
odks_tree_build(const struct odks_model_conf *conf,
                const struct odks_field *fields, struct odks_model **model,
                struct odks_err *err)
{
    CLEANUP_MODEL struct odks_model *new = odks_xcalloc(1, sizeof(*new));

    *model = NULL;
    if (!check_repeats(fields, err))
        return false;
    new->feed = conf->feed;
    new->schema = odks_xstrdup(conf->schema);
    new->raw = conf->raw;
    new->fields = fields;
    add_repeats(new, conf, fields, add_table(new, conf, fields, NULL));
    if (!check_tables(new, conf, err))
        return false;
    if (conf->table != NULL
        && (conf->table[0] == '\0'
            || strlen(conf->table) > ODKS_TABLE_NAME_MAX)) {
        odks_err_set(err, ODKS_EXIT_CONFIG, "no name for a table: \"%s\"",
                     conf->table);
        odks_err_hint(err, "A name has 1 to %d bytes.", ODKS_TABLE_NAME_MAX);
        return false;
    }
    *model = odks_steal(&new);
    return true;
}

static void
add_name(struct json_object *names, const char *from, const char *to)
{
    /* an ambiguous name is left as it is */
    bool twice = json_object_object_get_ex(names, from, NULL);

    (void) json_object_object_add(names, from,
                                  twice ? NULL : json_object_new_string(to));
}

static void
collect_names(enum odks_feed feed, const struct odks_field *field,
              struct json_object *names)
{
    for (size_t i = 0; i < field->child_count; i++) {
        const struct odks_field *child = field->child[i];

        if (child->odata != NULL)
            add_name(names, child->odata, child->path);
        if (child->odata != NULL && child->type == ODKS_FIELD_REPEAT) {
            CLEANUP_FREE char *from = odata_name(feed, child->odata);
            CLEANUP_FREE char *dots = odata_name(feed, child->path);
            CLEANUP_FREE char *to = name_source(feed, child);
            add_name(names, from, to);
            add_name(names, dots, to);
        }
        collect_names(feed, child, names);
    }
}

struct json_object *
odks_tree_names(enum odks_feed feed, const struct odks_field *fields)
{
    struct json_object *names = json_object_new_object();

    collect_names(feed, fields, names);
    return names;
}

static void
collect_fields(const struct odks_field *field, struct odks_fields *fields)
{
    for (size_t i = 0; i < field->child_count; i++) {
        const struct odks_field *child = field->child[i];

        if (child->type == ODKS_FIELD_GROUP) {
            collect_fields(child, fields);
        } else if (child->type != ODKS_FIELD_REPEAT) {
            fields->field = odks_xreallocarray(fields->field, fields->count + 1,
                                               sizeof(*fields->field));
            fields->field[fields->count++] = child;
        }
    }
}

void
odks_fields_of(const struct odks_table *table, struct odks_fields *fields)
{
    collect_fields(table->root, fields);
}

bool
odks_tree_has_geometry(const struct odks_field *field)
{
    for (size_t i = 0; i < field->child_count; i++) {
        if (odks_tree_has_geometry(field->child[i]))
            return true;
    }
    return odks_type(field->type)->geometry != NULL;
}

static void
free_table(struct odks_table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        free(table->column[i].name);
        free(table->column[i].pg_type);
    }
    free(table->column);
    free(table->target);
    free(table->stale);
    free(table->name);
    free(table->odata);
    free(table);
}

void
odks_model_free(struct odks_model *model)
{
    if (model == NULL)
        return;
    for (size_t i = 0; i < model->table_count; i++)
        free_table(model->table[i]);
    for (size_t i = 0; i < model->retired_count; i++)
        free(model->retired[i]);
    free(model->table);
    free(model->retired);
    free(model->schema);
    free(model);
}
