/* lib/table/fit.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/fit.h"

#include <string.h>

#include "table/number.h"

/* Of a value without members. */
static const char *
check_scalar(struct json_object *value)
{
    struct odks_number n;

    if (json_object_is_type(value, json_type_double)) {
        const char *reason = odks_number_read(value, &n);
        return reason != NULL ? reason : odks_number_fits_numeric(&n);
    }
    if (json_object_is_type(value, json_type_string)
        && memchr(json_object_get_string(value), '\0',
                  (size_t) json_object_get_string_len(value))
               != NULL)
        return "holds a NUL";
    return NULL;
}

/* Looks at the members, 64 deep at most; with mend, unfit ones become null. */
static const char *
check(struct json_object *value, bool mend)
{
    const char *first = NULL;

    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            const char *reason =
                check(json_object_array_get_idx(value, i), mend);
            if (reason != NULL && mend)
                (void) json_object_array_put_idx(value, i, NULL);
            first = first != NULL ? first : reason;
        }
    } else if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, key, child)
        {
            const char *reason = check(child, mend);
            if (reason != NULL && mend)
                (void) json_object_object_add(value, key, NULL);
            first = first != NULL ? first : reason;
        }
    } else {
        return check_scalar(value);
    }
    return mend ? NULL : first; /* it is mended */
}

const char *
odks_json_unfit(struct json_object *value)
{
    return check(value, false);
}

void
odks_json_make_fit(struct json_object *value)
{
    (void) check(value, true);
}
