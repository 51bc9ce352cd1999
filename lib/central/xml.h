/* lib/central/xml.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * A small XML document as a tree: the definition of a form, or a submission.
 *
 * Names are without their namespace prefix. Elements and the text between them
 * are siblings, in order. A document type is refused, and with it all entities
 * but the five of XML itself: nothing is fetched, and nothing grows.
 */
#ifndef ODKS_CENTRAL_XML_H
#define ODKS_CENTRAL_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cleanup.h"

struct odks_err;

enum {
    ODKS_XML_DEPTH = 100,     /* elements within each other */
    ODKS_XML_NODES = 1000000, /* elements and texts */
};

struct odks_xml {
    char *name;       /* NULL: a text */
    char *text;       /* of a text; NULL for elements */
    char **attribute; /* name, value, name, value, ..., NULL; or NULL */
    struct odks_xml *parent, *first, *last, *next;
};

/*
 * Parse all of text; what ("form") names it in messages. 69 when its end is
 * missing, 65 when it is not XML or exceeds the limits; or we are asked to
 * stop. The caller frees *root.
 */
ODKS_MUST_CHECK bool odks_xml_parse(const char *what, const char *text,
                                    size_t len, struct odks_xml **root,
                                    struct odks_err *err);
void odks_xml_free(struct odks_xml *root);
ODKS_DEFINE_CLEANUP(xml, struct odks_xml *, odks_xml_free)
#define CLEANUP_XML CLEANUP(odks_cleanup_xml)

/* The first child element of that name behind after (NULL: of all). */
const struct odks_xml *odks_xml_child(const struct odks_xml *node,
                                      const struct odks_xml *after,
                                      const char *name);

/* Down a path of first children, "head/title"; NULL where it ends. */
const struct odks_xml *odks_xml_find(const struct odks_xml *node,
                                     const char *path);

/* The value of an attribute, NULL if there is none. Borrowed. */
const char *odks_xml_get(const struct odks_xml *node, const char *attribute);

#endif
