/* tests/contract/instance.h - SPDX-License-Identifier: Apache-2.0 */
/* Submissions as devices send them, and their names in OData. */
#ifndef SC_INSTANCE_H
#define SC_INSTANCE_H

#include "standin.h"

/* The member of an object, or NULL; o may be anything. */
struct json_object *sc_member(struct json_object *o, const char *name);

/*
 * The value of a field: the member with its own name, else with its name in
 * OData, which belongs to the last of the fields that share it. Borrowed.
 */
struct json_object *sc_value_of(struct json_object *o,
                                const struct sc_field *f);

/*
 * What OData has under the name of the last field that has it: the last answer,
 * or the rows of all repeats. The caller puts it.
 */
struct json_object *sc_shared_value(struct json_object *o,
                                    const struct sc_field *last);

/* The submission in XML. */
void sc_instance_xml(const struct sc_version *v, const struct sc_rev *r,
                     struct sc_buf *out);

/* A place as "lat lon alt accuracy". */
void sc_place_text(struct json_object *v, struct sc_buf *out);

/* The name of a field as an element, and a text in XML; xform.c. */
const char *sc_element(const struct sc_field *f);
void sc_xml_text(struct sc_buf *out, const char *s);

#endif
