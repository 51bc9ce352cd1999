/* tests/unit/config_secret.c - SPDX-License-Identifier: Apache-2.0 */
/* Passwords: where they come from, and which files are good enough. */
#include <config.h>

#include "config_fixture.h"

static struct odks_config *
with_password_file(void)
{
    return fixture_ok(CENTRAL "password_file = secret\n"
                              "[database]\npassword_file = secret\n");
}

static const struct {
    const char *bytes;
    size_t len;
    unsigned mode;
    enum odks_exit code;
    const char *password; /* or the message, behind its context */
    const char *hint;
} files[] = {
    { "s e\xc5\xbe;#${x}", 11, 0600, ODKS_EXIT_OK, "s e\xc5\xbe;#${x}", "" },
    { "secret\n", 7, 0400, ODKS_EXIT_OK, "secret", "" },
    { "secret\r\n", 8, 0440, ODKS_EXIT_OK, "secret", "" },
    { "secret\n\n", 8, 0640, ODKS_EXIT_OK, "secret\n", "" },
    { "secret\r", 7, 0640, ODKS_EXIT_OK, "secret\r", "" },
    { "secret", 6, 0644, ODKS_EXIT_NOPERM, "secret can be read by everybody",
      "Run: chmod o-r secret" },
    { "secret", 6, 0602, ODKS_EXIT_NOPERM, "secret can be written by everybody",
      "Run: chmod o-w secret" },
    { "", 0, 0600, ODKS_EXIT_CONFIG, "secret is empty",
      "Write the secret, and nothing else, into it." },
    { "\n", 1, 0600, ODKS_EXIT_CONFIG, "secret is empty",
      "Write the secret, and nothing else, into it." },
    { "a\0b", 3, 0600, ODKS_EXIT_CONFIG, "secret holds a NUL byte",
      "Write the secret, and nothing else, into it." },
};

START_TEST(file_is_read_when_needed)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg = with_password_file(); /* not there yet */
    char *password;

    fixture_write("secret", files[_i].bytes, files[_i].len, files[_i].mode);
    bool done = odks_config_central_password(odks_config_central(cfg, 0),
                                             &password, &err);
    ck_assert_int_eq(done, files[_i].code == ODKS_EXIT_OK);
    ck_assert_int_eq(err.code, files[_i].code);
    ck_assert_str_eq(err.hint, files[_i].hint);
    if (done) {
        ck_assert_str_eq(password, files[_i].password);
    } else {
        char message[200];

        (void) snprintf(message, sizeof(message),
                        "password_file of central \"central\": %s",
                        files[_i].password);
        ck_assert_str_eq(err.message, message);
        ck_assert_ptr_null(password);
    }
    free(password);
    odks_config_free(cfg);
}
END_TEST

START_TEST(missing_file_is_66_and_long_one_78)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg = with_password_file();
    struct odks_db_conf conf;
    char *password, big[4096];

    ck_assert(!odks_config_central_password(odks_config_central(cfg, 0),
                                            &password, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_NOINPUT);
    ck_assert(!odks_config_db_conf(cfg, "i", &conf, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_NOINPUT);
    ck_assert_str_eq(err.message, "password_file of [database]: cannot read "
                                  "secret: No such file or directory");
    memset(big, 'x', sizeof(big));
    fixture_write("secret", big, sizeof(big), 0600);
    ck_assert(!odks_config_db_conf(cfg, "i", &conf, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
    ck_assert_str_eq(err.message,
                     "password_file of [database]: secret is over 4095 bytes");
    odks_config_free(cfg);
}
END_TEST

START_TEST(unreadable_file_is_77)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg = with_password_file();
    char *password;

    fixture_write("secret", "x", 1, 0);
    if (geteuid() == 0)
        ck_assert_int_eq(seteuid(65534), 0);
    ck_assert(!odks_config_central_password(odks_config_central(cfg, 0),
                                            &password, &err));
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(err.code, ODKS_EXIT_NOPERM);
    ck_assert_ptr_nonnull(strstr(err.hint, "through a group"));
    odks_config_free(cfg);
}
END_TEST

START_TEST(literal_password_and_none)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg = fixture_ok(CENTRAL "password = a b\n");
    char *password;

    ck_assert(odks_config_central_password(odks_config_central(cfg, 0),
                                           &password, &err));
    ck_assert_str_eq(password, "a b");
    free(password);
    odks_config_free(cfg);
    cfg = fixture_ok(CENTRAL);
    ck_assert(!odks_config_central_password(odks_config_central(cfg, 0),
                                            &password, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
    ck_assert_str_eq(err.message,
                     "there is no password for central \"central\"");
    odks_config_free(cfg);
}
END_TEST

START_TEST(database_gets_what_is_given_and_no_more)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_db_conf none, conf;
    struct odks_config *cfg = fixture_ok("");

    ck_assert(odks_config_db_conf(cfg, "host-1-a", &none, &err));
    ck_assert_ptr_null(none.keywords[0]);
    ck_assert_ptr_null(none.values[0]);
    ck_assert_str_eq(none.instance, "host-1-a");
    ck_assert_str_eq(none.tracking_schema, "public");
    ck_assert_uint_eq(none.statement_timeout_s, 300);
    odks_config_free(cfg);

    fixture_write("secret", "pw\n", 3, 0640);
    cfg = fixture_ok("[database]\nsslmode = verify-full\nschema = s\n"
                     "statement_timeout = 2m\ntracking_schema = t\n"
                     "password_file = secret\n");
    ck_assert(odks_config_db_conf(cfg, "i", &conf, &err));
    ck_assert_str_eq(conf.keywords[0], "sslmode");
    ck_assert_str_eq(conf.values[0], "verify-full");
    ck_assert_str_eq(conf.keywords[1], "password");
    ck_assert_str_eq(conf.values[1], "pw");
    ck_assert_ptr_null(conf.keywords[2]);
    ck_assert_str_eq(conf.tracking_schema, "t");
    ck_assert_uint_eq(conf.statement_timeout_s, 120);

    /* a second one sees a new password, and the first stays as it was */
    struct odks_db_conf later;
    fixture_write("secret", "new", 3, 0640);
    ck_assert(odks_config_db_conf(cfg, "i", &later, &err));
    ck_assert_str_eq(later.values[1], "new");
    ck_assert_str_eq(conf.values[1], "pw");
    odks_config_free(cfg);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("config_secret");
    TCase *tc = fixture_case(s, "secret");

    tcase_add_loop_test(tc, file_is_read_when_needed, 0, COUNT(files));
    tcase_add_test(tc, missing_file_is_66_and_long_one_78);
    tcase_add_test(tc, unreadable_file_is_77);
    tcase_add_test(tc, literal_password_and_none);
    tcase_add_test(tc, database_gets_what_is_given_and_no_more);
    return s;
}

ODKS_UNIT_MAIN(suite)
