/* lib/table/value.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * A value of a submission as fields of a COPY line.
 *
 * Numbers keep the text that Central sent. What would not fit the column is
 * refused here, so that PostgreSQL never refuses a whole batch for it.
 */
#ifndef ODKS_TABLE_VALUE_H
#define ODKS_TABLE_VALUE_H

#include <json-c/json.h>

#include "central/central.h"
#include "core/cleanup.h"
#include "table/copy.h"

/*
 * What odks_value_put() says of a whole number that fits and was put, but is
 * so large that it went through a double in Central, and may have changed.
 */
extern const char odks_value_rounded[];

/*
 * Put value (NULL: JSON null) as the fields of a column of this type: as many
 * as odks_type() counts; geometry: the last of them is one of PostGIS. NULL,
 * or why it does not fit; then its fields are SQL NULL.
 */
ODKS_MUST_CHECK const char *odks_value_put(struct odks_copy *out,
                                           enum odks_field_type type,
                                           bool geometry,
                                           struct json_object *value);

/* The fields of a value that is not there. */
void odks_value_put_null(struct odks_copy *out, enum odks_field_type type);

#endif
