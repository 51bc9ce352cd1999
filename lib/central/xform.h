/* lib/central/xform.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * What a form says to people: its title, the labels of its questions and the
 * lists of choices, in all of its languages, from its XForm (XML).
 */
#ifndef ODKS_CENTRAL_XFORM_H
#define ODKS_CENTRAL_XFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cleanup.h"

struct odks_central;
struct odks_err;

enum { ODKS_XFORM_MAX = 16 << 20 }; /* bytes */

/* The language of labels for which the form names none. */
#define ODKS_LANGUAGE_DEFAULT "default"

struct odks_choice {
    char *name;   /* what the answers hold */
    char **label; /* one for each language; "" where there is none */
};

/*
 * A list has the name that the form's author gave it, or the path of the only
 * question that has it.
 */
struct odks_choice_list {
    char *name;
    struct odks_choice *choice;
    size_t count;
};

enum odks_select { ODKS_SELECT_NONE, ODKS_SELECT_ONE, ODKS_SELECT_MANY };

/* A question, or a group or repeat with a label. */
struct odks_question {
    char *path;              /* as that of its struct odks_field */
    char **label;            /* as that of a choice */
    enum odks_select select; /* MANY: select multiple or rank */
    char *list;              /* name of its choices; NULL: not in the form */
    char *file;              /* where they are instead, or NULL */
};

struct odks_xform {
    char *title;
    char **language; /* the form's default first; at least one */
    size_t language_count;
    struct odks_question *question; /* sorted by path */
    size_t question_count;
    struct odks_choice_list *list;
    size_t list_count;
};

/*
 * Parse an XForm. 69 when its end is missing, 65 when it cannot be used. The
 * caller owns *form.
 */
ODKS_MUST_CHECK bool odks_xform_parse(const char *text, size_t len,
                                      struct odks_xform **form,
                                      struct odks_err *err);

/* Ask Central for the XForm of the current version, and parse it. */
ODKS_MUST_CHECK bool odks_central_xform(struct odks_central *central,
                                        int64_t project, const char *form_id,
                                        struct odks_xform **form,
                                        struct odks_err *err);
void odks_xform_free(struct odks_xform *form);
ODKS_DEFINE_CLEANUP(xform, struct odks_xform *, odks_xform_free)
#define CLEANUP_XFORM CLEANUP(odks_cleanup_xform)

/* The question at path, NULL if the form shows none there. */
const struct odks_question *odks_xform_question(const struct odks_xform *form,
                                                const char *path);

/*
 * The label in a language (its number), else that in the default language,
 * else in any; NULL if there is none. label may be NULL.
 */
const char *odks_xform_label(const struct odks_xform *form, char *const *label,
                             size_t language);

#endif
