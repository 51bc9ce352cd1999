/* tests/unit/track_state.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "track/state.h"

#include "db.h"

#define T INT64_C(1705314600000000) /* 2024-01-15T10:30:00Z */

/* What people and programs have put into a last_sync.txt. */
static const struct {
    const char *content;
    size_t len; /* 0: that of the string */
    const char *text, *message;
    int64_t us;
    enum odks_time_zone zone;
} files[] = {
    { "2024-01-15T10:30:00+00:00", 0, "2024-01-15T10:30:00+00:00", NULL, T,
      ODKS_TIME_WITH_ZONE },
    { "2024-01-15T10:30:00.000001", 0, "2024-01-15T10:30:00.000001", NULL,
      T + 1, ODKS_TIME_LOCAL },
    { "\xef\xbb\xbf 2024-01-15 10:30\r\n\n", 0, "2024-01-15 10:30", NULL, T,
      ODKS_TIME_LOCAL },
    { "2024-01-15T16:00:00+05:30\n", 0, "2024-01-15T16:00:00+05:30", NULL, T,
      ODKS_TIME_WITH_ZONE },
    { "", 0, NULL, "f is empty", 0, 0 },
    { "\xef\xbb\xbf\n", 0, NULL, "f is empty", 0, 0 },
    { "\0", 1, NULL, "f holds no time", 0, 0 },
    { "2024-01-15\0", 11, NULL, "f holds no time", 0, 0 },
    { "\xff\xfe"
      "2\0"
      "0\0",
      6, NULL, "f holds no time", 0, 0 },
    { "\xef\xbb", 0, NULL, "f holds no time", 0, 0 },
    { "2024-01-15\n2024-01-15\n", 0, NULL, "f has several lines", 0, 0 },
};

START_TEST(parse)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(100);
    CLEANUP_FREE char *text = NULL;
    const char *content = files[_i].content;
    enum odks_time_zone zone;
    int64_t us;

    ck_assert(odks_buf_add(
        &b, content, files[_i].len != 0 ? files[_i].len : strlen(content)));
    bool ok = odks_state_parse(&b, "f", &text, &us, &zone, &err);
    ck_assert_int_eq(ok, files[_i].message == NULL);
    if (!ok) {
        ck_assert_int_eq(err.code, ODKS_EXIT_DATA);
        ck_assert_str_eq(err.message, files[_i].message);
        ck_assert_str_ne(err.hint, "");
        ck_assert_ptr_null(text);
        return;
    }
    ck_assert_str_eq(text, files[_i].text);
    ck_assert_int_eq(us, files[_i].us);
    ck_assert_int_eq(zone, files[_i].zone);
}
END_TEST

START_TEST(parse_nothing)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_buf never = ODKS_BUF_INIT(1);
    enum odks_time_zone zone;
    int64_t us;
    char *text;

    ODKS_FAILS(odks_state_parse(&never, "f", &text, &us, &zone, &err), DATA);
}
END_TEST

static const struct {
    int64_t us;
    const char *text;
} formats[] = {
    { T, "2024-01-15T10:30:00.000000+00:00\n" },
    { T + 120000, "2024-01-15T10:30:00.120000+00:00\n" },
    { T + 123456, "2024-01-15T10:30:00.123456+00:00\n" },
};

START_TEST(format)
{
    char text[ODKS_STATE_TEXT];

    odks_state_format(formats[_i].us, text);
    ck_assert_str_eq(text, formats[_i].text);
}
END_TEST

START_TEST(get_and_set)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_state state;

    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_state_get(db, "a", &state, &err));
    ck_assert_int_eq(state.last_sync, ODKS_TIME_NONE);
    ck_assert(!state.known);
    ck_assert_int_gt(state.now, T);
    ODKS_OK(odks_state_set(db, "a", T, false, NULL, &err));
    ODKS_OK(odks_state_set(db, "a", T + 1, false, "{\"source\": 1}", &err));
    ODKS_OK(odks_state_get(db, "a", &state, &err));
    ck_assert_int_eq(state.last_sync, T + 1);
    ck_assert(state.known);
    ODKS_OK(odks_db_commit(db, &err));
    ODKS_SQL_IS(db,
                "SELECT count(*) || (SELECT metadata::json->>'source' FROM "
                "odk_sync_history WHERE id = 2) FROM odk_sync_history",
                "21");
}
END_TEST

START_TEST(set_backwards)
{
    CLEANUP_DB struct odks_db *db = test_fresh();
    struct odks_err err = ODKS_ERR_INIT;

    ODKS_OK(odks_db_begin(db, &err));
    ODKS_OK(odks_state_set(db, "a", T, false, NULL, &err));
    ODKS_OK(odks_state_set(db, "a", T - 1, true, NULL, &err));
    ODKS_FAILS(odks_state_set(db, "a", T - 2, false, NULL, &err), BRAKE);
    odks_db_rollback(db);
    ODKS_OK(odks_db_begin(db, &err));
    ODKS_FAILS(odks_state_set(db, "", T, false, NULL, &err), DATA);
    odks_db_rollback(db);
    ODKS_OK(odks_db_begin(db, &err));
    struct odks_state state;
    ODKS_FAILS(odks_state_get(db, "", &state, &err), DATA);
    odks_db_rollback(db);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("track_state");
    TCase *tc = tcase_create("state");

    tcase_add_loop_test(tc, parse, 0, sizeof(files) / sizeof(files[0]));
    tcase_add_test(tc, parse_nothing);
    tcase_add_loop_test(tc, format, 0, sizeof(formats) / sizeof(formats[0]));
    tcase_add_test(tc, get_and_set);
    tcase_add_test(tc, set_backwards);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_DB_UNIT_MAIN(suite)
