/* lib/table/names.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of tables and columns, made from the names in a form: lower snake
 * case, at most 63 bytes, never in need of quotes, never two alike.
 */
#ifndef ODKS_TABLE_NAMES_H
#define ODKS_TABLE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/index.h"

enum { ODKS_NAME_MAX = 63 }; /* bytes of an identifier in PostgreSQL */

/*
 * "Street_Name" -> "street_name", "instanceID" -> "instance_id". What
 * PostgreSQL reserves, and what begins with "_" (as our own columns do) or a
 * digit, gets a "q_" in front. Bytes beyond ASCII stay. Never empty. The
 * caller frees it.
 */
char *odks_name_snake(const char *text);

/*
 * name and suffix in max bytes: if need be name is cut, on a character's
 * boundary, and marked with "_" and the FNV-1a hash of key in 8 hex digits.
 * The caller frees it.
 */
char *odks_name_fit(const char *name, const char *suffix, size_t max,
                    const char *key);

/* Names that are taken. Begin with { 0 }. */
struct odks_names {
    char **name;
    size_t count, size;
    struct odks_index index; /* of name */
};

void odks_names_add(struct odks_names *names, const char *name);
bool odks_names_has(const struct odks_names *names, const char *name);
void odks_names_clear(struct odks_names *names);

/* Where a name is needed. */
struct odks_naming {
    const struct odks_names *taken;
    const char *prefix;      /* in front of the name, "" for none */
    const char *root;        /* path that all of them begin with */
    const char *const *path; /* of all that share this place */
    size_t count;
    const char *const *suffix; /* the name must be free with each of them;
                                  NULL-terminated */
    size_t max;                /* bytes, without the suffixes */
};

/*
 * A free name for path: its leaf; with as many of its groups in front as make
 * it differ from all others in place; else with "_2", "_3"... behind, for
 * what comes later gets out of the way. The caller frees it.
 */
char *odks_name_choose(const struct odks_naming *in, const char *path);

/* The same for a name whose type changed: "<base>_v2", "<base>_v3"... */
char *odks_name_next_version(const struct odks_naming *in, const char *base,
                             const char *path);

#endif
