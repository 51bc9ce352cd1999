/* lib/core/json.h - SPDX-License-Identifier: Apache-2.0 */
/* Owners of json-c objects that release themselves. */
#ifndef ODKS_CORE_JSON_H
#define ODKS_CORE_JSON_H

#include <json-c/json.h>

#include "core/cleanup.h"

ODKS_DEFINE_CLEANUP(json, struct json_object *, json_object_put)
#define CLEANUP_JSON CLEANUP(odks_cleanup_json)

#endif
