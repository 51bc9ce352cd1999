/* lib/table/fit.h - SPDX-License-Identifier: Apache-2.0 */
/* What JSON may hold and jsonb cannot. */
#ifndef ODKS_TABLE_FIT_H
#define ODKS_TABLE_FIT_H

#include <json-c/json.h>

/* Why jsonb does not take a value; NULL: it does. */
const char *odks_json_unfit(struct json_object *value);

/* Put null for all that jsonb does not take of an object or an array. */
void odks_json_make_fit(struct json_object *value);

#endif
