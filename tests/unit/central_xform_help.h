/* tests/unit/central_xform_help.h - SPDX-License-Identifier: Apache-2.0 */
/* XForms that are accepted, and that are not: for the tests that read some. */
#ifndef ODKS_TESTS_CENTRAL_XFORM_HELP_H
#define ODKS_TESTS_CENTRAL_XFORM_HELP_H

#include <string.h>

#include "central/xform.h"
#include "core/err.h"
#include "unit.h"

static struct odks_xform *
parse(const char *text)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_xform *form = NULL;

    ck_assert_msg(odks_xform_parse(text, strlen(text), &form, &err), "%s",
                  err.message);
    return form;
}

static void
ck_refused(const char *text, size_t len, enum odks_exit code,
           const char *message)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_xform *form = NULL;

    ck_assert(!odks_xform_parse(text, len, &form, &err));
    ck_assert_ptr_null(form);
    ck_assert_int_eq(err.code, code);
    ck_assert_msg(strstr(err.message, message) != NULL, "%s", err.message);
}

#endif
