/* lib/central/restore.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to which Central's OData gives one key.
 *
 * OData replaces all but ASCII letters, digits and "_" in names, so that
 * "/Имя" and "/Возраст" are both "__" there, and OData contains only one of the
 * answers. The XML of the submission contains all of them. The row is rebuilt
 * from both, with the types and the ids of repeat rows that OData would have.
 */
#ifndef ODKS_CENTRAL_RESTORE_H
#define ODKS_CENTRAL_RESTORE_H

#include <json-c/json.h>

struct odks_field;
struct odks_xml;

/*
 * row as OData has it, with fields under their names (see struct odks_field).
 * xml: the submission, or NULL: then the shared fields are left out. The caller
 * puts the result.
 */
struct json_object *odks_restore_row(const struct odks_field *fields,
                                     struct json_object *row,
                                     const struct odks_xml *xml);

/*
 * An answer in the XML as OData has one of that type; NULL for none. The
 * caller puts it.
 */
struct json_object *odks_restore_value(const struct odks_field *field,
                                       const char *text);

#endif
