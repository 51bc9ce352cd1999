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
#include "core/index.h"

struct odks_central;
struct odks_err;

enum {
    ODKS_XFORM_MAX = 16 << 20,    /* bytes */
    ODKS_XFORM_LANGUAGES = 200,   /* real forms have up to about 30 */
    ODKS_XFORM_CHOICES = 2000000, /* choices, each once for each language */
    ODKS_XFORM_LABELS = 64 << 20, /* bytes of the labels of all choices */
    ODKS_XFORM_PATH = 4096        /* bytes of the path of a question; a longer
                                     one has no label */
};

/* The language of labels for which the form names none. */
#define ODKS_LANGUAGE_DEFAULT "default"

struct odks_text {
    size_t language; /* its number in the form */
    char *text;      /* never empty */
};

/* What is shown to people in each language. Texts are shared by labels. */
struct odks_label {
    char *plain; /* the same in all languages ("": nothing), or NULL */
    const struct odks_text *text; /* sorted by language; without "" */
    size_t count;
};

struct odks_choice {
    char *name; /* what the answers hold */
    struct odks_label label;
    bool is_ambiguous; /* other choices of the list have the same name */
    char **property;   /* of an ambiguous one, as a list of choices has it
                          beside name and label: name, value, name, value, ...,
                          NULL; or NULL */
};

/*
 * A list has the name that the form's author gave it, or the path of the only
 * question that has it.
 */
struct odks_choice_list {
    char *name;
    struct odks_choice *choice;
    size_t count;
    size_t ambiguous; /* how many of them are */
};

enum odks_select { ODKS_SELECT_NONE, ODKS_SELECT_ONE, ODKS_SELECT_MANY };

/*
 * A condition of a choice filter: the property of a choice equals an answer,
 * or a text.
 */
struct odks_filter {
    char *property;
    char *text; /* or NULL */
    char *path; /* of the question, or NULL */
};

/* A question, or a group or repeat with a label. */
struct odks_question {
    char *path; /* as the form has it */
    struct odks_label label;
    enum odks_select select; /* MANY: select multiple or rank */
    char *list;              /* name of its choices; NULL: not in the form */
    char *file;              /* where they are instead, or NULL */
    /* All of these conditions hold for the choices that can be chosen. There
     * may be more of them, of a kind that is not known here. */
    struct odks_filter *filter;
    size_t filter_count;
};

struct odks_xform {
    char *title;
    char **language; /* the form's default first; at least one */
    size_t language_count;
    struct odks_question *question;
    size_t question_count;
    struct odks_choice_list *list;
    size_t list_count;
    struct odks_text *text; /* of the labels */
    size_t text_count;
    struct odks_index by_path; /* of question */
};

/*
 * Parse an XForm, in time and memory proportional to its length. 69 when its
 * end is missing, 65 when it cannot be used or exceeds a limit above; or we are
 * asked to stop. The caller owns *form.
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

/* The question at a path; NULL if the form shows none there. */
const struct odks_question *odks_xform_question(const struct odks_xform *form,
                                                const char *path);

/* A path as Central's OData has it; the caller frees it. */
char *odks_xform_odata_path(const char *path);

/* The label in just that language; NULL if there is none. */
const char *odks_label_in(const struct odks_label *label, size_t language);

/*
 * The label in a language, else that in the default language, else in any;
 * NULL if there is none.
 */
const char *odks_label_text(const struct odks_label *label, size_t language);

/* The value of a property of a choice, "" if it has none. */
const char *odks_choice_property(const struct odks_choice *choice,
                                 const char *name);

#endif
