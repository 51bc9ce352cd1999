/* lib/config/options.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of options.def, for whoever reads configuration or writes of it:
 * the command line (flags, --help), the manual page, the tests of both.
 */
#ifndef ODKS_CONFIG_OPTIONS_H
#define ODKS_CONFIG_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

enum odks_option_section {
    ODKS_SECTION_RUN, /* [odk-sync] */
    ODKS_SECTION_DATABASE,
    ODKS_SECTION_CENTRAL, /* [central] is [central central] */
    ODKS_SECTION_JOB,     /* [job NAME] */
    ODKS_SECTION_COUNT
};

enum odks_option_type {
    ODKS_OPTION_TEXT,
    ODKS_OPTION_WORD, /* a text, one of choices */
    ODKS_OPTION_INTEGER,
    ODKS_OPTION_DURATION,
    ODKS_OPTION_BOOL,
    ODKS_OPTION_ENUM,
    ODKS_OPTION_LIST, /* texts with commas between */
    ODKS_OPTION_SECRET,
    ODKS_OPTION_PATH
};

struct odks_option {
    enum odks_option_section section;
    enum odks_option_type type;
    const char *key;
    const char *default_text; /* NULL: none */
    int64_t min, max;         /* see options.def */
    const char *choices;      /* "a|b|c" or NULL */
    const char *flag;         /* "max-time" or NULL */
    const char *help;         /* one line, no full stop */
    size_t offset;            /* in the structure; ODKS_OPTION_NO_FIELD */
};

#define ODKS_OPTION_NO_FIELD SIZE_MAX /* a parameter of libpq */

/* The whole table, grouped by section; *count is its length. */
const struct odks_option *odks_options(size_t *count);

/* "odk-sync", "database", "central", "job": the first word of the header. */
const char *odks_option_section_name(enum odks_option_section section);

/*
 * The environment variable of a key: ODK_SYNC_<KEY> in [odk-sync],
 * ODK_SYNC_<SECTION>_<KEY> and, in a section with a name,
 * ODK_SYNC_<SECTION>_<NAME>_<KEY>, in capitals, with _ for whatever is no
 * letter or digit. name is "" for none; [central] itself has none. The caller
 * frees the result.
 */
char *odks_option_env(const struct odks_option *option, const char *name);

enum { ODKS_OPTION_EXPECTED = 256 };

/* "a duration from 15s to 1h, such as 90s, 15m or 24h". */
void odks_option_expected(const struct odks_option *option,
                          char text[ODKS_OPTION_EXPECTED]);

#endif
