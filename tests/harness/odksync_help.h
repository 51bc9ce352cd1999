/* tests/harness/odksync_help.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of libodksync, which see it as any program does; what it leaves in
 * the tables they read with the internal library (db.h).
 */
#ifndef ODKS_TESTS_ODKSYNC_HELP_H
#define ODKS_TESTS_ODKSYNC_HELP_H

#include "db.h"
#include "odksync.h"

#define TEST_HISTORY                                                          \
    "SELECT coalesce(string_agg(concat_ws('|', sync_type, status, "           \
    "coalesce(records_processed, -1), error_message), ';' ORDER BY id), '') " \
    "FROM odk_sync_history"

/* What must succeed with this handle. */
#define SYNC_OK(sync, call)                                             \
    do {                                                                \
        int code_ = (call);                                             \
        ck_assert_msg(code_ == 0, #call ": %d %s (%s)", code_,          \
                      odks_error_message(sync), odks_error_hint(sync)); \
        ck_assert_int_eq(odks_error_code(sync), 0);                     \
        ck_assert_str_eq(odks_error_message(sync), "");                 \
    } while (0)

/* What must fail with want and tell it in a way that a caller understands. */
#define SYNC_FAILS(sync, call, want)                                     \
    do {                                                                 \
        int code_ = (call);                                              \
        ck_assert_msg(code_ == (want), #call ": %d %s", code_,           \
                      odks_error_message(sync));                         \
        ck_assert_int_eq(odks_error_code(sync), want);                   \
        ck_assert_str_ne(odks_error_message(sync), "");                  \
        ck_assert_ptr_null(strstr(odks_error_hint(sync), "[database]")); \
    } while (0)

static inline struct odks_sync *
test_open(const char *conninfo)
{
    struct odks_sync *sync;
    int code = odks_open(conninfo, "odks_test", &sync);

    ck_assert_msg(code == 0, "%d %s", code, odks_error_message(sync));
    return sync;
}

static inline void
test_close(struct odks_sync **sync)
{
    odks_close(*sync);
}
#define CLEANUP_SYNC CLEANUP(test_close)

#endif
