/* lib/core/stop.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Being asked to stop, by SIGTERM, SIGINT, SIGHUP or our own time limit, and
 * the one place where the program waits.
 *
 * A handler sets a flag and writes to a pipe that every odks_wait() watches.
 * Work that sees ODKS_WAIT_STOPPED gives up with odks_stop_err(). Whoever then
 * hands the job back calls odks_stop_acknowledge() first: from there on waits
 * end by their own deadlines alone. A second signal ends the process at once.
 */
#ifndef ODKS_CORE_STOP_H
#define ODKS_CORE_STOP_H

#include <poll.h>
#include <stdbool.h>

#include "core/clock.h"

struct odks_err;

enum odks_wait { ODKS_WAIT_READY, ODKS_WAIT_TIMEOUT, ODKS_WAIT_STOPPED };

/* Install the handlers; SIGPIPE is ignored. Once, before anything waits. */
void odks_stop_install(void);

/* Stop at d as if asked to, for the --max-time of a run. */
void odks_stop_at(struct odks_deadline d);

/* Asked to stop, and not yet acknowledged? */
bool odks_stop_requested(void);

/* The signal that asked, 0 if none did. */
int odks_stop_signal(void);

/* From now on waits no longer end with ODKS_WAIT_STOPPED. */
void odks_stop_acknowledge(void);

/* Set err, marked interrupted, to why we stop: 143, 130 or 75. */
void odks_stop_err(struct odks_err *err);

/*
 * Die by the signal that asked, so that the parent sees it; as PID 1, where
 * that has no effect, exit with 128 + signal. Returns only if none did.
 */
void odks_stop_reraise(void);

/*
 * poll(2) until one of fds is ready, until passes, or we are asked to stop.
 * With n = 0 it just waits. EINTR is handled.
 */
enum odks_wait odks_wait(struct pollfd *fds, nfds_t n,
                         struct odks_deadline until);

/* The same for what must come to its end even when we are asked to stop. */
enum odks_wait odks_wait_to_the_end(struct pollfd *fds, nfds_t n,
                                    struct odks_deadline until);

/*
 * For code whose library polls by itself (curl_multi_poll): the descriptor
 * that becomes readable when a signal arrives, or -1 before
 * odks_stop_install(). Borrowed.
 */
int odks_stop_fd(void);

/* The deadline set by odks_stop_at(), never once acknowledged. */
struct odks_deadline odks_stop_deadline(void);

#endif
