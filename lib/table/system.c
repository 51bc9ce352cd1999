/* lib/table/system.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/system.h"

#include <string.h>

#include "table/number.h"
#include "table/stage.h"
#include "table/value.h"

#define SYSTEM "__system/"
#define DELETED_AT SYSTEM "deletedAt"
#define REVIEW_STATE SYSTEM "reviewState"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct odks_system_column submission[ODKS_SYSTEM_COLUMNS] = {
    { "_id", "text", "__id", ODKS_FIELD_TEXT, "key of the submission" },
    { "_submitted_at", "timestamptz", SYSTEM "submissionDate",
      ODKS_FIELD_DATETIME, "when Central received it" },
    { "_updated_at", "timestamptz", SYSTEM "updatedAt", ODKS_FIELD_DATETIME,
      "when it was last edited or reviewed" },
    { "_deleted_at", "timestamptz", DELETED_AT, ODKS_FIELD_DATETIME,
      "when it was deleted in Central; NULL: live" },
    { "_review_state", "text", REVIEW_STATE, ODKS_FIELD_TEXT,
      "received, edited, hasIssues, approved or rejected" },
    { "_submitter", "text", SYSTEM "submitterName", ODKS_FIELD_TEXT,
      "who sent it" },
    { "_device_id", "text", SYSTEM "deviceId", ODKS_FIELD_TEXT,
      "the device that sent it" },
    { "_edits", "integer", SYSTEM "edits", ODKS_FIELD_INT,
      "how often it was edited" },
    { "_form_version", "text", SYSTEM "formVersion", ODKS_FIELD_TEXT,
      "version of the form that it was first sent with" },
    { "_status", "text", SYSTEM "status", ODKS_FIELD_TEXT,
      "why an encrypted submission has no answers" },
    { "_attachments_present", "integer", SYSTEM "attachmentsPresent",
      ODKS_FIELD_INT, "files that have arrived" },
    { "_attachments_expected", "integer", SYSTEM "attachmentsExpected",
      ODKS_FIELD_INT, "files that its answers name" },
};

static const struct odks_system_column entity[] = {
    { "_id", "text", "__id", ODKS_FIELD_TEXT, "key of the entity" },
    { "_label", "text", "label", ODKS_FIELD_TEXT, "its label" },
    { "_created_at", "timestamptz", SYSTEM "createdAt", ODKS_FIELD_DATETIME,
      "when it was made" },
    { "_updated_at", "timestamptz", SYSTEM "updatedAt", ODKS_FIELD_DATETIME,
      "when it was last updated or restored, or a conflict resolved" },
    { "_deleted_at", "timestamptz", DELETED_AT, ODKS_FIELD_DATETIME,
      "when it was deleted in Central; NULL: live" },
    { "_creator", "text", SYSTEM "creatorName", ODKS_FIELD_TEXT,
      "who made it" },
    { "_updates", "integer", SYSTEM "updates", ODKS_FIELD_INT,
      "how often it was updated" },
    { "_version", "integer", SYSTEM "version", ODKS_FIELD_INT,
      "from 1; another one with each update" },
    { "_conflict", "text", SYSTEM "conflict", ODKS_FIELD_TEXT,
      "soft or hard, until somebody resolves it" },
};

const struct odks_system *
odks_system(enum odks_feed feed)
{
    static const struct odks_system systems[] = {
        [ODKS_FEED_FORM] = { submission, COUNT(submission), "_submitted_at",
                             "" },
        [ODKS_FEED_DATASET] = { entity, COUNT(entity), "_created_at",
                                "__entity" },
    };

    return &systems[feed];
}

/* What a row has there; NULL if it is absent or null. */
static struct json_object *
member(struct json_object *row, const char *from)
{
    size_t len = strlen(SYSTEM);

    if (strncmp(from, SYSTEM, len) == 0)
        return odks_row_member(odks_row_member(row, "__system"), from + len);
    return odks_row_member(row, from);
}

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
                struct json_object *row)
{
    const struct odks_system *system = odks_system(b->conf.model->feed);

    for (size_t i = 1; i < system->count; i++) {
        const struct odks_system_column *column = &system->column[i];
        struct json_object *value = member(row, column->from);

        if (strcmp(column->from, DELETED_AT) == 0
            && b->conf.on_delete == ODKS_DELETE_KEEP)
            value = NULL;
        if (strcmp(column->from, REVIEW_STATE) == 0 && value == NULL) {
            /* what Central calls null: "<> 'rejected'" must find them */
            odks_copy_put(out, "received");
            continue;
        }
        const char *reason = put(out, column->type, value);
        const struct odks_reject r = { .submission = id,
                                       .row_id = id,
                                       .path = column->from,
                                       .column = column->name,
                                       .reason = reason,
                                       .value = value };
        if (reason != NULL)
            odks_batch_reject(b, &r);
    }
}
