/* lib/db/migrate.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "db/migrate.h"
