/* lib/central/itext.h - SPDX-License-Identifier: Apache-2.0 */
/* The texts of an XForm in its languages (its itext block), and labels. */
#ifndef ODKS_CENTRAL_ITEXT_H
#define ODKS_CENTRAL_ITEXT_H

#include <stddef.h>

struct odks_xml;

struct odks_itext_value {
    const char *id; /* borrowed from the document */
    size_t language;
    char *text;
};

struct odks_itext {
    char **language; /* default first, NULL-terminated */
    size_t language_count;
    struct odks_itext_value *value; /* sorted by id and language */
    size_t count;
};

/* Read the block; itext may be NULL. The document must outlive it. */
void odks_itext_read(struct odks_itext *t, const struct odks_xml *itext);
void odks_itext_clear(struct odks_itext *t);

/*
 * The text of an element in one line, "" for NULL. What is put in at run time
 * shows as ${name}, or "..." if it is worked out. The caller frees it.
 */
char *odks_itext_text(const struct odks_xml *node);

/*
 * One text for each language, "" where there is none, and NULL at the end: of
 * a <label> (NULL: none), or of an id. odks_itext_free_texts() frees them.
 */
char **odks_itext_labels(const struct odks_itext *t,
                         const struct odks_xml *label);
char **odks_itext_by_id(const struct odks_itext *t, const char *id);
void odks_itext_free_texts(char **text); /* text may be NULL */

#endif
