/* lib/table/geo.h - SPDX-License-Identifier: Apache-2.0 */
/* GeoJSON as Central writes it, as fields of a COPY line. */
#ifndef ODKS_TABLE_GEO_H
#define ODKS_TABLE_GEO_H

#include <json-c/json.h>

#include "core/cleanup.h"
#include "table/copy.h"

/*
 * NULL, or why it does not fit; nothing was put then. A point fills five
 * fields: latitude, longitude, altitude, accuracy, and what all of them end
 * with: GeoJSON or, for a column of PostGIS (geometry), EWKT. A ring that does
 * not end where it began is closed. In EWKT what has no altitude gets 0, as in
 * ODK Collect, and lines and rings must have enough points.
 */
ODKS_MUST_CHECK const char *odks_geo_put_point(struct odks_copy *out,
                                               struct json_object *value,
                                               bool geometry);
ODKS_MUST_CHECK const char *odks_geo_put_trace(struct odks_copy *out,
                                               struct json_object *value,
                                               bool geometry);
ODKS_MUST_CHECK const char *odks_geo_put_shape(struct odks_copy *out,
                                               struct json_object *value,
                                               bool geometry);

#endif
