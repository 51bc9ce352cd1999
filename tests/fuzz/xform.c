/* tests/fuzz/xform.c - SPDX-License-Identifier: Apache-2.0 */
/* XForms: what is accepted must be complete and consistent. */
#include <config.h>

#include "central/xform.h"

#include "core/err.h"
#include "fuzz.h"

static void
check_label(const struct odks_xform *form, const struct odks_label *label)
{
    for (size_t i = 0; i < label->count; i++) {
        FUZZ_REQUIRE(label->text[i].language < form->language_count);
        FUZZ_REQUIRE(label->text[i].text[0] != '\0');
    }
    (void) odks_label_text(label, form->language_count - 1);
}

static void
check_form(const struct odks_xform *form)
{
    FUZZ_REQUIRE(form->language_count >= 1);
    for (size_t i = 0; i < form->question_count; i++) {
        const struct odks_question *q = &form->question[i];
        FUZZ_REQUIRE(odks_xform_question(form, q->path) != NULL);
        check_label(form, &q->label);
    }
    for (size_t i = 0; i < form->list_count; i++) {
        const struct odks_choice_list *list = &form->list[i];
        FUZZ_REQUIRE(list->name != NULL);
        for (size_t k = 0; k < list->count; k++) {
            FUZZ_REQUIRE(list->choice[k].name != NULL);
            check_label(form, &list->choice[k].label);
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_xform *form = NULL;

    if (odks_xform_parse((const char *) data, size, &form, &err))
        check_form(form);
    else
        FUZZ_REQUIRE(form == NULL && err.code != ODKS_EXIT_OK
                     && err.code != ODKS_EXIT_SOFTWARE);
    odks_xform_free(form);
    return 0;
}
