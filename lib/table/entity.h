/* lib/table/entity.h - SPDX-License-Identifier: Apache-2.0 */
#ifndef ODKS_TABLE_ENTITY_H
#define ODKS_TABLE_ENTITY_H

#include <json-c/json.h>
#include <stdbool.h>

#include "central/central.h"

/*
 * Make of an entity as Central sends it a row like a submission: a property
 * that is not set comes as "", and becomes null; when it was deleted does not
 * come, and is looked up in trash (NULL: the row is live). False: it is not in
 * the trash.
 */
bool odks_entity_adapt(struct json_object *row, const struct odks_trash *trash);

#endif
