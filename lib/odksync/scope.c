/* lib/odksync/scope.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "odksync/internal.h"

#include <stdlib.h>
#include <string.h>

struct odks_scope {
    struct odks_sync *sync;
    int history_id;
    bool open;
    char *sync_type;
};

static void
release(struct odks_scope *scope)
{
    free(scope->sync_type);
    free(scope);
}

struct odks_scope *
odks_enter_scope(struct odks_sync *sync, const char *sync_type,
                 const char *service_instance)
{
    if (!odks_lib_enter(sync) || sync_type == NULL) {
        (void) odks_lib_misuse(sync, "no sync type is given");
        return NULL;
    }
    /* before the attempt begins: what is begun must be there to be ended */
    struct odks_scope *scope = calloc(1, sizeof(*scope));
    if (scope == NULL || (scope->sync_type = strdup(sync_type)) == NULL) {
        free(scope);
        odks_err_set(&sync->err, ODKS_EXIT_OS, "out of memory");
        return NULL;
    }
    scope->sync = sync;
    if (odks_start_sync(sync, sync_type, service_instance, &scope->history_id)
        != 0) {
        release(scope);
        return NULL;
    }
    scope->open = true;
    return scope;
}

int
odks_scope_history_id(const struct odks_scope *scope)
{
    return scope != NULL ? scope->history_id : 0;
}

int
odks_complete_scope(struct odks_scope *scope, int records, int64_t latest,
                    const char *metadata)
{
    if (scope == NULL)
        return ODKS_E_USAGE;
    int code = odks_complete_sync(scope->sync, scope->history_id,
                                  scope->sync_type, records, latest, metadata);
    if (code == 0)
        scope->open = false;
    return code;
}

int
odks_fail_scope(struct odks_scope *scope, const char *message)
{
    if (scope == NULL)
        return ODKS_E_USAGE;
    int code = odks_fail_sync(scope->sync, scope->history_id, scope->sync_type,
                              message);
    if (code == 0)
        scope->open = false;
    return code;
}

void
odks_leave_scope(struct odks_scope **place)
{
    if (place == NULL || *place == NULL)
        return;
    struct odks_scope *scope = odks_steal(place);
    if (scope->open) {
        struct odks_err why = scope->sync->err;

        (void) odks_fail_sync(
            scope->sync, scope->history_id, scope->sync_type,
            why.code != ODKS_EXIT_OK ? why.message : "left without success");
        scope->sync->err = why;
    }
    release(scope);
}
