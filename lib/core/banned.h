/* lib/core/banned.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that no file of ours makes: each has a better one. The build puts this
 * header in front of every file (-include), and a use names a variable that is
 * not declared: a compile error. (#pragma GCC poison would not do: the C
 * library defines some of these names as macros itself, depending on the
 * compiler and its options.)
 *
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

#undef strcpy
#define strcpy(...) odks_banned_strcpy
#undef strcat
#define strcat(...) odks_banned_strcat
#undef strncpy
#define strncpy(...) odks_banned_strncpy
#undef strncat
#define strncat(...) odks_banned_strncat
#undef sprintf
#define sprintf(...) odks_banned_sprintf
#undef vsprintf
#define vsprintf(...) odks_banned_vsprintf
#undef strtok
#define strtok(...) odks_banned_strtok
#undef gets
#define gets(...) odks_banned_gets
#undef atoi
#define atoi(...) odks_banned_atoi
#undef atol
#define atol(...) odks_banned_atol
#undef atoll
#define atoll(...) odks_banned_atoll
#undef localtime
#define localtime(...) odks_banned_localtime
#undef gmtime
#define gmtime(...) odks_banned_gmtime
#undef ctime
#define ctime(...) odks_banned_ctime
#undef asctime
#define asctime(...) odks_banned_asctime

#endif
