/* lib/core/banned.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that no file of ours makes: each has a better one. The build puts this
 * header in front of every file (-include), so that a use is a compile error.
 * `make lint` looks for the ones that are banned outside one folder: PQ* and
 * curl_*.
 */
#ifndef ODKS_CORE_BANNED_H
#define ODKS_CORE_BANNED_H

#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* clang-format off */
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok
#pragma GCC poison gets atoi atol atoll localtime gmtime ctime asctime
/* clang-format on */

#endif
