/* lib/core/exit.h - SPDX-License-Identifier: Apache-2.0 */
/* The exit codes of exit.def, and the order among them. */
#ifndef ODKS_CORE_EXIT_H
#define ODKS_CORE_EXIT_H

#include <stdbool.h>
#include <stddef.h>

enum odks_exit {
#define ODKS_EXIT(name, number, class, severity, meaning) \
    ODKS_EXIT_##name = (number),
#include "core/exit.def"
#undef ODKS_EXIT
};

enum odks_exit_class {
    ODKS_EXIT_CLASS_OK,
    ODKS_EXIT_CLASS_TEMPORARY,
    ODKS_EXIT_CLASS_PERMANENT
};

struct odks_exit_info {
    enum odks_exit code;
    const char *name;
    enum odks_exit_class class;
    int severity;
    const char *meaning;
};

/* All codes in ascending order; *count is their number. */
const struct odks_exit_info *odks_exit_list(size_t *count);

/* Could the next start succeed without a person? False for OK. */
bool odks_exit_is_temporary(enum odks_exit code);

/* The one of two codes that a run with both of them ends with. */
enum odks_exit odks_exit_worse(enum odks_exit a, enum odks_exit b);

#endif
