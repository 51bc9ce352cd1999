/* lib/config/libpq.c - SPDX-License-Identifier: Apache-2.0 */
/* Parameters of libpq in [database], and what of them is secret. */
#include <config.h>

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/internal.h"
#include "core/mem.h"

struct odks_value
odks_config_libpq_value(const struct odks_config *cfg,
                        const struct odks_option *option, char origin[80])
{
    for (const PQconninfoOption *o = cfg->libpq;
         o != NULL && o->keyword != NULL; o++) {
        const char *text = o->envvar != NULL ? getenv(o->envvar) : NULL;

        if (text == NULL || strcmp(o->keyword, option->key) != 0)
            continue;
        (void) snprintf(origin, 80, "environment %s", o->envvar);
        return (struct odks_value){ .text = text, .origin = origin };
    }
    return (struct odks_value){ .text = NULL };
}

/* "password = x" in it, or an address that may have a password. */
static bool
is_connection_string(const char *text)
{
    if (strstr(text, "postgres://") != NULL
        || strstr(text, "postgresql://") != NULL)
        return true;
    for (const char *p = text; (p = strcasestr(p, "password")) != NULL;) {
        p += strlen("password");
        p += strspn(p, " ");
        if (*p == '=')
            return true;
    }
    return false;
}

bool
odks_config_check_libpq(const struct odks_config *cfg,
                        const struct odks_section *section,
                        struct odks_err *err)
{
    const struct odks_schema *schema = &cfg->schema[ODKS_SECTION_DATABASE];

    for (size_t i = 0; i < schema->count; i++) {
        const struct odks_option *option = &schema->options[i];
        struct odks_value value = section->values[i];
        char origin[80];

        if (option->offset != ODKS_OPTION_NO_FIELD
            || option->type != ODKS_OPTION_TEXT
            || strcmp(option->key, "options") == 0)
            continue;
        if (value.text == NULL)
            value = odks_config_libpq_value(cfg, option, origin);
        if (value.text == NULL || !is_connection_string(value.text))
            continue;
        odks_err_set(err, ODKS_EXIT_CONFIG, "%s: %s: found a connection string",
                     value.origin, option->key);
        odks_err_hint(err, "Write host, port, user, dbname and password_file "
                           "in [database] instead.");
        return false;
    }
    return true;
}

bool
odks_config_is_secret(const struct odks_option *option, const char *text)
{
    return option->type == ODKS_OPTION_SECRET
           || (option->offset == ODKS_OPTION_NO_FIELD
               && strcmp(option->key, "options") == 0
               && odks_db_is_secret_setting(text, strlen(text)));
}

void
odks_config_add_secret_variable(struct odks_config *cfg, const char *name)
{
    cfg->secret_variables = odks_xreallocarray(
        cfg->secret_variables, cfg->secret_variable_count + 2,
        sizeof(cfg->secret_variables[0]));
    cfg->secret_variables[cfg->secret_variable_count++] =
        odks_config_keep(cfg, name);
    cfg->secret_variables[cfg->secret_variable_count] = NULL;
}

const char *const *
odks_config_secret_variables(const struct odks_config *cfg)
{
    return cfg->secret_variables;
}
