/* lib/table/cells.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/cells.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "table/types.h"

/* What ends a field of a line. */
#define ENDS "\t\n"

static bool
is_null(const char *p)
{
    return strncmp(p, "\\N", 2) == 0 && strcspn(p, ENDS) == 2;
}

static void
add_cell(struct odks_cells *cells, const struct odks_cell *cell)
{
    cells->cell =
        odks_xreallocarray(cells->cell, cells->count + 1, sizeof(*cells->cell));
    cells->cell[cells->count++] = *cell;
}

static void
add_cell_of(struct odks_cells *cells, size_t table, size_t line,
            const struct odks_target *target, const char *const *at)
{
    const struct odks_cell cell = { .table = table,
                                    .line = line,
                                    .column = target->column,
                                    .count =
                                        odks_type(target->field->type)->count,
                                    .field = target->field };

    for (size_t i = 0; i < cell.count; i++) {
        if (!is_null(at[cell.column + i])) {
            add_cell(cells, &cell);
            return;
        }
    }
}

/* The cells of a line; past the line. */
static const char *
find_in_line(struct odks_cells *cells, const struct odks_model *model, size_t k,
             size_t line, const char *p)
{
    const struct odks_table *table = model->table[k];
    CLEANUP_FREE const char **at =
        odks_xcalloc(table->column_count, sizeof(*at));

    for (size_t i = 0; i < table->column_count; i++) {
        at[i] = p;
        p += strcspn(p, ENDS) + 1;
    }
    size_t raw = table->system_count - 1;
    if (k == 0 && model->raw && !is_null(at[raw])) {
        const struct odks_cell cell = { .column = raw, .count = 1 };
        add_cell(cells, &cell);
    }
    for (size_t i = 0; i < table->target_count; i++)
        add_cell_of(cells, k, line, &table->target[i], at);
    return p;
}

void
odks_cells_find(struct odks_cells *cells, const struct odks_batch *part)
{
    const struct odks_model *model = part->conf.model;

    *cells = (struct odks_cells){ 0 };
    for (size_t k = 0; k < model->table_count; k++) {
        const struct odks_buf *lines = &part->lines[k].buf;
        size_t line = 0;

        if (!model->table[k]->wanted || lines->len == 0)
            continue;
        for (const char *p = lines->data; p < lines->data + lines->len;)
            p = find_in_line(cells, model, k, line++, p);
    }
}

void
odks_cells_clear(struct odks_cells *cells)
{
    free(cells->cell);
    *cells = (struct odks_cells){ 0 };
}

static bool
is_in_line(const struct odks_cells *cells, size_t n, size_t table, size_t line)
{
    return n < cells->count && cells->cell[n].table == table
           && cells->cell[n].line == line;
}

/* A line without what is left out, from cell *n on; past the line. */
static const char *
blank_line(const struct odks_cells *cells, size_t *n, size_t table, size_t line,
           const char *p, struct odks_copy *out)
{
    for (size_t column = 0;; column++) {
        size_t len = strcspn(p, ENDS);

        while (is_in_line(cells, *n, table, line)
               && column >= cells->cell[*n].column + cells->cell[*n].count)
            ++*n;
        bool blank = is_in_line(cells, *n, table, line)
                     && column >= cells->cell[*n].column
                     && cells->cell[*n].blank;
        odks_copy_field(out);
        odks_copy_plain(out, blank ? "\\N" : p, blank ? 2 : len);
        p += len;
        if (*p++ == '\n')
            break;
    }
    odks_copy_end(out);
    while (is_in_line(cells, *n, table, line))
        ++*n;
    return p;
}

void
odks_cells_blank(const struct odks_cells *cells, struct odks_batch *part)
{
    size_t n = 0;

    for (size_t k = 0; k + 1 < part->lines_count; k++) {
        struct odks_copy out = ODKS_COPY_INIT(ODKS_COPY_MAX);
        const struct odks_buf *lines = &part->lines[k].buf;
        bool keep =
            part->conf.model->table[k]->wanted && !(k > 0 && cells->no_repeats);
        size_t line = 0;

        while (n < cells->count && cells->cell[n].table < k)
            n++;
        if (lines->len == 0 || (k == 0 && !keep))
            continue;
        for (const char *p = lines->data; keep && p < lines->data + lines->len;)
            p = blank_line(cells, &n, k, line++, p, &out);
        odks_buf_free(&part->lines[k].buf);
        part->lines[k] = out;
    }
}

/* The text of a field of a line; the caller frees it. */
static char *
unescape(const char *p, size_t len)
{
    char *text = odks_xcalloc(len + 1, 1);
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        char c = p[i];

        if (c == '\\' && i + 1 < len) {
            c = p[++i];
            c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
        }
        text[n++] = c;
    }
    return text;
}

char *
odks_cells_text(const struct odks_batch *part, size_t table, size_t line,
                size_t column)
{
    const char *p = part->lines[table].buf.data;

    while (line-- > 0)
        p += strcspn(p, "\n") + 1;
    while (column-- > 0)
        p += strcspn(p, ENDS) + 1;
    return is_null(p) ? NULL : unescape(p, strcspn(p, ENDS));
}

/* {"b","c"} as it came: b c. In place. */
static void
join_words(char *text)
{
    char *to = text;

    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '{' || *p == '}' || *p == '"')
            continue;
        if (*p == '\\' && p[1] != '\0')
            p++;
        else if (*p == ',' && p[-1] == '"' && p[1] == '"') {
            *to++ = ' ';
            continue;
        }
        *to++ = *p;
    }
    *to = '\0';
}

static struct json_object *
to_json(enum odks_field_type type, bool is_json, char *text)
{
    switch (type) {
    case ODKS_FIELD_INT:
    case ODKS_FIELD_DECIMAL:
        return json_object_new_double_s(0, text);
    case ODKS_FIELD_BOOLEAN:
        return json_object_new_boolean(text[0] == 't');
    case ODKS_FIELD_SELECT_MULTIPLE:
        join_words(text);
        return json_object_new_string(text);
    default:
        return is_json ? odks_json_read(text) : json_object_new_string(text);
    }
}

struct json_object *
odks_cell_json(const struct odks_cell *cell, const struct odks_batch *part)
{
    const struct odks_table *table = part->conf.model->table[cell->table];
    size_t last = cell->column + cell->count - 1;

    if (cell->field == NULL)
        return NULL;
    CLEANUP_FREE char *text =
        odks_cells_text(part, cell->table, cell->line, last);
    return text != NULL
               ? to_json(cell->field->type,
                         table->column[last].oid == ODKS_OID_JSONB, text)
               : NULL;
}
