/* lib/central/itext.h - SPDX-License-Identifier: Apache-2.0 */
/* The texts of an XForm in its languages (its itext block), and labels. */
#ifndef ODKS_CENTRAL_ITEXT_H
#define ODKS_CENTRAL_ITEXT_H

#include <stddef.h>

#include "central/xform.h"
#include "core/index.h"

struct odks_xml;

/* The texts of one id: count of t->text, from first on. */
struct odks_itext_entry {
    const char *id; /* borrowed from the document */
    size_t first, count;
};

struct odks_itext {
    char **language; /* default first, NULL-terminated */
    size_t language_count;
    struct odks_text *text; /* sorted by id and language */
    size_t count;
    struct odks_itext_entry *entry;
    size_t entry_count;
    struct odks_index by_id; /* of entry */
};

/*
 * Read the block; itext may be NULL. The document must outlive t. 65: more
 * than ODKS_XFORM_LANGUAGES; or we are asked to stop. odks_itext_clear() is
 * due in any case.
 */
ODKS_MUST_CHECK bool odks_itext_read(struct odks_itext *t,
                                     const struct odks_xml *itext,
                                     struct odks_err *err);
void odks_itext_clear(struct odks_itext *t);

/*
 * The text of an element in one line, "" for NULL. What is put in at run time
 * shows as ${name}, or "..." if it is worked out. The caller frees it.
 */
char *odks_itext_text(const struct odks_xml *node);

/*
 * What a <label> (NULL: none) shows, or the texts of an id. They refer to
 * t->text, which must outlive them; the caller frees label.plain.
 */
struct odks_label odks_itext_label(const struct odks_itext *t,
                                   const struct odks_xml *label);
struct odks_label odks_itext_by_id(const struct odks_itext *t, const char *id);

#endif
