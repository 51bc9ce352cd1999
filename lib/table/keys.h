/* lib/table/keys.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of Central, each with what of its state may change, on their way
 * into odk_sync_key.
 */
#ifndef ODKS_TABLE_KEYS_H
#define ODKS_TABLE_KEYS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "central/central.h"
#include "config/config.h"
#include "table/copy.h"

struct odks_privacy;

struct odks_keys {
    enum odks_feed feed;
    const char *sync_type;
    enum odks_on_delete on_delete;
    const struct odks_privacy *privacy; /* masks them, or NULL */
    const struct odks_trash *trash;     /* that keys come from, or NULL */
    struct odks_copy lines;             /* of keys that are not there yet */
    int64_t kept;                       /* keys in odk_sync_key */
};

void odks_keys_init(struct odks_keys *keys, enum odks_feed feed,
                    const char *sync_type, enum odks_on_delete on_delete);
void odks_keys_clear(struct odks_keys *keys);

/* Take one row of odks_reconcile_select(). 65 if there is no key in it. */
ODKS_MUST_CHECK bool odks_keys_add(struct odks_keys *keys, const char *row,
                                   size_t len, struct odks_err *err);
bool odks_keys_are_full(const struct odks_keys *keys);
ODKS_MUST_CHECK bool odks_keys_flush(struct odks_keys *keys, struct odks_db *db,
                                     struct odks_err *err);

/*
 * SQL: is the state of the key k another one than that of the row t of the
 * main table? The caller frees it.
 */
char *odks_keys_differ(enum odks_feed feed);

#endif
