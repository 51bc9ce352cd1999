/* lib/core/limit.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "core/limit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SPARE = 8 }; /* what a library opens for one connection */

bool
odks_limit_reached(int cause, struct odks_err *err)
{
    struct rlimit limit;

    if (cause != EMFILE && cause != ENFILE)
        return false;
    if (cause == ENFILE || getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        odks_err_set(err, ODKS_EXIT_OS, "this machine has too many open files");
        odks_err_hint(err, "End what has so many open, or raise fs.file-max.");
        return true;
    }
    odks_err_set(err, ODKS_EXIT_OS,
                 "too few file descriptors: the limit is %ju",
                 (uintmax_t) limit.rlim_cur);
    odks_err_hint(err, "Raise it with ulimit -n, or with LimitNOFILE= in a "
                       "unit of systemd.");
    return true;
}

bool
odks_limit_near(struct odks_err *err)
{
    int spare[SPARE], count = 0, cause = 0;

    while (count < SPARE && cause == 0) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        if (fd < 0)
            cause = errno;
        else
            spare[count++] = fd;
    }
    while (count > 0)
        (void) close(spare[--count]);
    return odks_limit_reached(cause, err);
}
