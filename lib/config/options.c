/* lib/config/options.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "config/options.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/internal.h"
#include "core/mem.h"

/* The structure of each section, for offsetof. */
#define PART_RUN struct odks_run_conf
#define PART_DATABASE struct odks_database_part
#define PART_CENTRAL struct odks_central_part
#define PART_JOB struct odks_job_part

#define ODKS_OPTION(s, k, t, f, d, lo, hi, ch, fl, h) \
    { .section = ODKS_SECTION_##s,                    \
      .type = ODKS_OPTION_##t,                        \
      .key = #k,                                      \
      .default_text = (d),                            \
      .min = (lo),                                    \
      .max = (hi),                                    \
      .choices = (ch),                                \
      .flag = (fl),                                   \
      .help = (h),                                    \
      .offset = offsetof(PART_##s, f) },

static const struct odks_option table[] = {
#include "config/options.def"
};

const struct odks_option *
odks_options(size_t *count)
{
    *count = sizeof(table) / sizeof(table[0]);
    return table;
}

const char *
odks_option_section_name(enum odks_option_section section)
{
    static const char *const names[ODKS_SECTION_COUNT] = { "odk-sync",
                                                           "database",
                                                           "central", "job" };

    return names[section];
}

char *
odks_option_env(const struct odks_option *option, const char *name)
{
    bool plain = *name == '\0'
                 || (option->section == ODKS_SECTION_CENTRAL
                     && strcmp(name, "central") == 0);
    bool run = option->section == ODKS_SECTION_RUN;
    char *env = odks_xasprintf(
        "odk_sync_%s%s%s%s%s",
        run ? "" : odks_option_section_name(option->section), run ? "" : "_",
        plain ? "" : name, plain ? "" : "_", option->key);

    for (char *c = env; *c != '\0'; c++) {
        if (!isascii((unsigned char) *c) || !isalnum((unsigned char) *c))
            *c = '_';
        else
            *c = (char) toupper((unsigned char) *c);
    }
    return env;
}

/* Seconds in the largest unit that needs no fraction. */
static void
duration_text(int64_t seconds, char text[32])
{
    static const struct {
        int64_t seconds;
        const char *unit;
    } units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" } };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (seconds > 0 && seconds % units[i].seconds == 0) {
            (void) snprintf(text, 32, "%" PRId64 "%s",
                            seconds / units[i].seconds, units[i].unit);
            return;
        }
    }
    (void) snprintf(text, 32, seconds == 0 ? "0" : "%" PRId64 "s", seconds);
}

/* "a|b|c" as "a, b, c". */
static void
choices_text(const char *choices, char *text, size_t size)
{
    size_t len = (size_t) snprintf(
        text, size, "%s", strchr(choices, '|') != NULL ? "one of " : "");

    for (; *choices != '\0' && len + 3 < size; choices++) {
        if (*choices == '|') {
            text[len++] = ',';
            text[len++] = ' ';
        } else {
            text[len++] = *choices;
        }
    }
    text[len] = '\0';
}

void
odks_option_expected(const struct odks_option *o,
                     char text[ODKS_OPTION_EXPECTED])
{
    char min[32], max[32];
    const size_t size = ODKS_OPTION_EXPECTED;

    switch (o->type) {
    case ODKS_OPTION_INTEGER:
        (void) snprintf(text, size,
                        "a whole number from %" PRId64 " to %" PRId64, o->min,
                        o->max);
        break;
    case ODKS_OPTION_DURATION:
        duration_text(o->min, min);
        duration_text(o->max, max);
        (void) snprintf(text, size,
                        "a duration from %s to %s, such as 90s, 15m or 24h",
                        min, max);
        break;
    case ODKS_OPTION_BOOL:
        (void) snprintf(text, size, "yes or no");
        break;
    case ODKS_OPTION_ENUM:
    case ODKS_OPTION_WORD:
        choices_text(o->choices, text, size);
        break;
    case ODKS_OPTION_LIST:
        (void) snprintf(text, size, "names with commas between, each once");
        break;
    case ODKS_OPTION_TEXT:
    case ODKS_OPTION_SECRET:
    case ODKS_OPTION_PATH:
    default:
        (void) snprintf(text, size, "text of at most %" PRId64 " bytes",
                        o->max);
        break;
    }
}
