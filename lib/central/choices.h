/* lib/central/choices.h - SPDX-License-Identifier: Apache-2.0 */
/* The choices of selects, and the filters of cascades, while a form is read. */
#ifndef ODKS_CENTRAL_CHOICES_H
#define ODKS_CENTRAL_CHOICES_H

#include "central/itext.h"
#include "central/xform.h"
#include "core/index.h"

struct odks_xml;

/* A form while it is read. */
struct odks_xform_reader {
    struct odks_xform *form;
    struct odks_itext text;
    const struct odks_xml **instance;
    size_t instance_count;
    struct odks_index instances, lists; /* by their names */
    size_t list_size, question_size;    /* room for so many */
    size_t choices, label_bytes;        /* towards the limits */
    struct odks_err *err;
};

/* Index the instances of the model; odks_choices_end() frees the index. */
void odks_choices_begin(struct odks_xform_reader *r,
                        const struct odks_xml *model);
void odks_choices_end(struct odks_xform_reader *r);

/*
 * Find the choices of the select at reference, and read them if they are part
 * of the form. 65: there are too many.
 */
ODKS_MUST_CHECK bool odks_choices_read(struct odks_xform_reader *r,
                                       const struct odks_xml *select,
                                       const char *reference,
                                       struct odks_question *q);
void odks_choices_free(struct odks_choice_list *list);

/*
 * Read those conditions of an itemset that struct odks_filter can express;
 * from: the reference of its select.
 */
void odks_filter_read(const char *nodeset, const char *from,
                      struct odks_question *q);
void odks_filter_free(struct odks_question *q);

/* A path without the prefixes of namespaces, as the form has it, without the
 * root; "" if it is the root, or longer than ODKS_XFORM_PATH. */
char *odks_xform_path(const char *reference);

#endif
