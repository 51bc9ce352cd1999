/* lib/run/instance.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "run/instance.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/utf8.h"

void
odks_instance(char text[ODKS_INSTANCE_TEXT])
{
    char host[65] = "localhost";
    uint32_t number;

    if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
        (void) snprintf(host, sizeof(host), "localhost");
    odks_utf8_clean(host);
    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        number = (uint32_t) odks_clock_ms();
    (void) snprintf(text, ODKS_INSTANCE_TEXT, "%s-%ld-%08x", host,
                    (long) getpid(), number);
}
