/* lib/table/system.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/number.h"
#include "table/stage.h"
#include "table/value.h"

/* In the order of the columns behind _id. */
static const struct {
    const char *key;
    enum odks_field_type type;
} system_values[ODKS_SYSTEM_COLUMNS - 1] = {
    { "submissionDate", ODKS_FIELD_DATETIME },
    { "updatedAt", ODKS_FIELD_DATETIME },
    { "deletedAt", ODKS_FIELD_DATETIME },
    { "reviewState", ODKS_FIELD_TEXT },
    { "submitterName", ODKS_FIELD_TEXT },
    { "deviceId", ODKS_FIELD_TEXT },
    { "edits", ODKS_FIELD_INT },
    { "formVersion", ODKS_FIELD_TEXT },
    { "status", ODKS_FIELD_TEXT },
    { "attachmentsPresent", ODKS_FIELD_INT },
    { "attachmentsExpected", ODKS_FIELD_INT },
};

enum { DELETED_AT = 2, REVIEW_STATE = 3 };

/* Counters are integer: 32 bits. */
static const char *
put(struct odks_copy *out, enum odks_field_type type, struct json_object *value)
{
    int64_t number;

    if (type != ODKS_FIELD_INT || value == NULL)
        return odks_value_put(out, type, false, value);
    const char *reason = odks_number_int64(value, &number);
    if (reason == NULL && (number < INT32_MIN || number > INT32_MAX))
        reason = "out of range";
    if (reason == NULL)
        odks_copy_int(out, number);
    else
        odks_copy_null(out);
    return reason;
}

void
odks_system_put(struct odks_batch *b, struct odks_copy *out, const char *id,
                struct json_object *system)
{
    const struct odks_column *column = b->conf.model->table[0]->column;

    for (size_t i = 0; i < ODKS_SYSTEM_COLUMNS - 1; i++) {
        struct json_object *value = NULL;
        char path[64];

        (void) json_object_object_get_ex(system, system_values[i].key, &value);
        if (i == DELETED_AT && b->conf.on_delete == ODKS_DELETE_KEEP)
            value = NULL;
        if (i == REVIEW_STATE && value == NULL) {
            /* what Central calls null: "<> 'rejected'" must find them */
            odks_copy_put(out, "received");
            continue;
        }
        const char *reason = put(out, system_values[i].type, value);
        if (reason == NULL)
            continue;
        (void) snprintf(path, sizeof(path), "__system/%s",
                        system_values[i].key);
        odks_batch_reject(b, 0, id, id, path, column[i + 1].name, reason,
                          value);
    }
}
