/* lib/table/geo.h - SPDX-License-Identifier: Apache-2.0 */
/* Places as Central writes them, as fields of a COPY line. */
#ifndef ODKS_TABLE_GEO_H
#define ODKS_TABLE_GEO_H

#include <json-c/json.h>

#include "core/cleanup.h"
#include "table/copy.h"
#include "table/number.h"

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

/*
 * Latitude, longitude, altitude and accuracy of "lat lon alt acc", of which
 * the last two may be missing; four times NULL for any other text, such as
 * that of a trace.
 */
void odks_geo_put_place(struct odks_copy *out, struct odks_span text);

#endif
