/* tests/unit/config_ini.c - SPDX-License-Identifier: Apache-2.0 */
/* The text of the file: lines, sections, keys, values, variables. */
#include <config.h>

#include "config_fixture.h"

#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10
#define X150 X50 X50 X50

static const struct refusal refusals[] = {
    { "\xef\xbb\xbf" CENTRAL, "c.ini:1: the file begins with a byte order mark",
      "without BOM" },
    { "[central]\nurl = \x01\n", "c.ini:2: the line holds a control character",
      NULL },
    { "[central]\nurl = \xff\n", "c.ini:2: the line is not UTF-8", NULL },
    { "[central]\nurl = \xed\xa0\x80\n", "c.ini:2: the line is not UTF-8",
      NULL },
    { "[central]\nurl = \xe2\x82\n", "c.ini:2: the line is not UTF-8", NULL },
    /* 199 bytes, in a value and in a comment: inih cuts them from 200 or 199 */
    { "[job a]\nform = " X150 X10 X10 X10 X10 "xx\n",
      "c.ini:2: the line has 199 bytes, 198 is the limit", "indented" },
    { "\n;" X150 X10 X10 X10 X10 "xxxxxxxx\n",
      "c.ini:2: the line has 199 bytes, 198 is the limit", NULL },
    { "[job " X10 X10 X10 X10 "xxxxxx]\n",
      "c.ini:1: the name of the section is too long", "49" },
    { "[central\n", "c.ini:1: the name of the section has no ]", NULL },
    { "[central ;]\n", "c.ini:1: a comment inside the name of the section",
      NULL },
    { "[central] url = x\n", "c.ini:1: something follows the ] of the section",
      NULL },
    { "[central]\nurl\n", "c.ini:2: neither a section nor key = value", NULL },
    /* the first error counts, whoever finds it */
    { "[central]\nurl\n\x01\n", "c.ini:2: neither a section nor key = value",
      NULL },
    { "[central]\nx = 1\nurl\n", "c.ini:3: neither a section nor key = value",
      NULL },
    { "  [central]\n", "c.ini:1: the line is indented", "first column" },
    { "[job a]\n  kind = submissions\n", "c.ini:2: the line is indented",
      NULL },
    { "[job a]\nkind = submissions\n  project = 1\n",
      "c.ini:3: the line is indented", "continues the value" },
    { "[job a]\nkind = submissions\n\t[job b]\n",
      "c.ini:3: the line is indented", NULL },
    { "url = x\n", "c.ini:1: a key before the first section", NULL },
    { "\n[databse]\n", "c.ini:2: unknown section [databse]",
      "Did you mean [database]?" },
    { "[jobs x]\n", "c.ini:1: unknown section [jobs x]",
      "Did you mean [job NAME]?" },
    { "[something]\n", "c.ini:1: unknown section [something]",
      "[odk-sync], [database]" },
    { "[]\n", "c.ini:1: unknown section []", NULL },
    { "[job]\n", "c.ini:1: a job needs a name, [job NAME], in section [job]",
      NULL },
    { "[database x]\n",
      "c.ini:1: there is one section of its kind, without a name: "
      "[database x]",
      NULL },
    { "[job a\tb]\n",
      "c.ini:1: a control character in the name of section [job a b]", NULL },
    { CENTRAL "[database]\n[central central]\n",
      "c.ini:5: section [central] is there already (c.ini:1)", NULL },
    { JOB "\n[job  main ]\n",
      "c.ini:6: section [job main] is there already (c.ini:1)", NULL },
    { "[central]\nurll = x\n", "c.ini:2: unknown key \"urll\" in [central]",
      "Did you mean \"url\"?" },
    { "[database]\nhots = x\n", "c.ini:2: unknown key \"hots\" in [database]",
      "Did you mean \"host\"?" },
    { "[database]\nclient_encoding = LATIN1\n",
      "c.ini:2: unknown key \"client_encoding\" in [database]", NULL },
    { "[central]\nschema = x\n", "c.ini:2: unknown key \"schema\" in [central]",
      "belongs in [database]" },
    { "[central]\n= x\n", "c.ini:2: unknown key \"\" in [central]", NULL },
    { "[central]\nurl = a\nuser = u\nurl = b\n",
      "c.ini:4: url is there already (c.ini:2)", "Delete one" },
    { "[central]\nurl =\n", "c.ini:2: url is empty", "leave it out" },
    { "[central]\nurl = ; nothing\n", "c.ini:2: url is empty", NULL },
    { "[central]\n\nurl = https://${ODKS_TEST_UNSET}\n",
      "c.ini:3: url: the environment variable ODKS_TEST_UNSET is not set",
      "Set ODKS_TEST_UNSET" },
    { "[central]\nurl = ${\n",
      "c.ini:2: url: ${ without a variable's name and }", "$${" },
    { "[central]\nurl = ${1X}\n",
      "c.ini:2: url: ${ without a variable's name and }", NULL },
    { "[central]\nurl = ${A B}\n",
      "c.ini:2: url: ${ without a variable's name and }", NULL },
    { "[job a]\nform = ${ODKS_TEST_EMPTY}\n", "c.ini:2: form is empty", NULL },
    { "[job a]\nform = ${ODKS_TEST_LINES}\n",
      "c.ini:2: form holds a control character or is not UTF-8", NULL },
};

START_TEST(wrong_text_is_refused_with_its_line)
{
    ck_assert_int_eq(setenv("ODKS_TEST_EMPTY", "", 1), 0);
    ck_assert_int_eq(setenv("ODKS_TEST_LINES", "a\nb", 1), 0);
    fixture_refused(&refusals[_i]);
}
END_TEST

START_TEST(nul_is_refused_with_its_line)
{
    static const char text[] = "[central]\nurl = a\0b\n";
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg;

    fixture_write("c.ini", text, sizeof(text) - 1, 0600);
    ck_assert(!odks_config_load("c.ini", NULL, 0, &cfg, &err));
    ck_assert_str_eq(err.message, "c.ini:2: the line holds a NUL byte");
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
}
END_TEST

START_TEST(a_huge_file_is_refused)
{
    size_t len = (1 << 20) + 1;
    char *text = calloc(len, 1);
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg;

    ck_assert_ptr_nonnull(text);
    memset(text, '\n', len);
    fixture_write("c.ini", text, len, 0600);
    free(text);
    ck_assert(!odks_config_load("c.ini", NULL, 0, &cfg, &err));
    ck_assert_str_eq(err.message, "configuration: c.ini is over 1048576 bytes");
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
}
END_TEST

static const struct {
    const char *text; /* of form, from the = on */
    const char *form;
} forms[] = {
    { "= a", "a" },
    { "=a\r", "a" },
    { ": a", "a" },
    { "=  a b  ", "a b" },
    { "= a ; comment", "a" },
    { "= a;b", "a;b" },
    { "= a # b", "a # b" },
    { "= a = b", "a = b" },
    { "= \"a\"", "\"a\"" },
    { "= a\n  b", "a b" },
    { "= a ; one\n\n; two\n  # three\n\tb ; four\n c", "a b c" },
    { "=\n  a", "a" },
    { "= a\n  b: c", "a b: c" },
    { "= ${ODKS_TEST_A}", "value of A" },
    { "= x${ODKS_TEST_A}y${ODKS_TEST_A}", "xvalue of Ayvalue of A" },
    { "= $${ODKS_TEST_A}", "${ODKS_TEST_A}" },
    { "= $$${ODKS_TEST_A}", "$${ODKS_TEST_A}" },
    { "= a$b}$", "a$b}$" },
    { "= a\n ${ODKS_TEST_A}", "a value of A" },
    { "= a\n  \\b\n  \\ c\n  d\\e", "ab c d\\e" },
    { "= ${ODKS_TEST_\n  \\A}", "value of A" },
    { "=\n  \\[a] = b", "[a] = b" },
    /* what a variable holds is never read as syntax */
    { "= ${ODKS_TEST_B}", "x ;y ${ODKS_TEST_A}" },
    { "= \xc5\xbe", "\xc5\xbe" },
    { "= \xf0\x9f\x8c\x8d", "\xf0\x9f\x8c\x8d" },
    /* the form id: decoded where that can be meant */
    { "= GRA%20Rental%20Data", "GRA Rental Data" },
    { "= odd%20id-1.2%20%c5%BE", "odd id-1.2 \xc5\xbe" },
    { "= GRA Rental%20Data", "GRA Rental%20Data" },
    { "= 100%", "100%" },
    { "= 100%sure%20", "100%sure%20" },
    { "= a%2520b", "a%20b" },
    { "= a%00b", "a%00b" },
    { "= a%0Ab%1B", "a\nb\033" },
    { "= %2A", "*" },
    { "= a%ffb", "a%ffb" },
    { "= a%2", "a%2" },
    /* 198 bytes fit: 7 + 191 */
    { "= " X150 X10 X10 X10 X10 "x", X150 X10 X10 X10 X10 "x" },
};

START_TEST(values_are_read_as_written)
{
    char text[1000];

    ck_assert_int_eq(setenv("ODKS_TEST_A", "value of A", 1), 0);
    ck_assert_int_eq(setenv("ODKS_TEST_B", "x ;y ${ODKS_TEST_A}", 1), 0);
    (void) snprintf(text, sizeof(text),
                    CENTRAL "[job main] ; why\nform %s\nkind = submissions\n"
                            "project = 1",
                    forms[_i].text);
    struct odks_config *cfg = fixture_ok(text);
    ck_assert_str_eq(odks_config_job(cfg, 0)->form, forms[_i].form);
    ck_assert_int_eq(odks_config_job(cfg, 0)->project, 1);
    odks_config_free(cfg);
}
END_TEST

START_TEST(a_value_is_capped)
{
    char text[8192] = "[job a]\nform = a";
    struct odks_err err = ODKS_ERR_INIT;
    char *big = calloc(70000, 1);

    ck_assert_ptr_nonnull(big);
    memset(big, 'x', 69999);
    ck_assert_int_eq(setenv("ODKS_TEST_BIG", big, 1), 0);
    free(big);
    (void) snprintf(text, sizeof(text), "[job a]\nform = ${ODKS_TEST_BIG}\n");
    ck_assert_ptr_null(fixture_load(text, &err));
    ck_assert_str_eq(err.message,
                     "c.ini:2: form: the value of ODKS_TEST_BIG is too long");
    (void) snprintf(text, sizeof(text), "%s",
                    CENTRAL "[job a]\nkind = submissions\nproject = 1\nform =");
    for (int i = 0; i < 30; i++) {
        size_t len = strlen(text);
        (void) snprintf(text + len, sizeof(text) - len, "\n %s", X50);
    }
    ck_assert_ptr_null(fixture_load(text, &err));
    ck_assert_str_eq(err.message, "c.ini:7: form: found a long text, expected "
                                  "text of at most 1024 bytes");
}
END_TEST

START_TEST(continued_lines_are_capped_too)
{
    struct odks_err err = ODKS_ERR_INIT;
    char *text = calloc(80000, 1);
    size_t len = 0;

    ck_assert_ptr_nonnull(text);
    len += (size_t) snprintf(text, 80000, "[job a]\nform =");
    for (int i = 0; i < 700; i++)
        len += (size_t) snprintf(text + len, 80000 - len, "\n " X50 X50);
    ck_assert_ptr_null(fixture_load(text, &err));
    ck_assert_str_eq(err.message, "c.ini:2: form: the value is too long");
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
    free(text);
}
END_TEST

/* Whatever the bytes, the loader ends with a configuration or an error. */
static void
load_bytes(const char *bytes, size_t len)
{
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_config *cfg;

    fixture_write("c.ini", bytes, len, 0600);
    if (odks_config_load("c.ini", NULL, 0, &cfg, &err)) {
        FILE *out = fopen("/dev/null", "w");

        ck_assert_ptr_nonnull(out);
        odks_config_print(cfg, false, out);
        odks_config_print(cfg, true, out);
        (void) fclose(out);
        odks_config_free(cfg);
        return;
    }
    ck_assert_ptr_null(cfg);
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
    ck_assert_str_ne(err.message, "");
}

START_TEST(random_bytes_do_no_harm)
{
    unsigned seed = 20;
    char bytes[600];

    for (int n = 0; n < 2000; n++) {
        size_t len = (size_t) rand_r(&seed) % sizeof(bytes);

        for (size_t i = 0; i < len; i++)
            bytes[i] = (char) (rand_r(&seed) >> 7);
        load_bytes(bytes, len);
    }
}
END_TEST

START_TEST(mutated_files_do_no_harm)
{
    static const char seed_text[] =
        "; c\n" CENTRAL "password = x\n[central b]\nurl = http://[::1]:80/v1\n"
        "user = u\nallow_http = yes\n[database]\nhost = h ; c\n" JOB
        "tables = Submissions,\n  Submissions.a\nevery = 1h30m\n"
        "[job b]\nkind = submissions\nproject = 2\nform = a%20${HOME}\n"
        "after = main\ncentral = b\n";
    static const char spice[] = "[]=;#\n\r ${}%,./:@-09azAZ\t\0\xff\xc5\xbe";
    unsigned seed = 21;
    char bytes[sizeof(seed_text)];

    for (int n = 0; n < 4000; n++) {
        memcpy(bytes, seed_text, sizeof(bytes));
        for (int k = rand_r(&seed) % 6; k > 0; k--) {
            size_t at = (size_t) rand_r(&seed) % (sizeof(bytes) - 1);

            bytes[at] = spice[(size_t) rand_r(&seed) % (sizeof(spice) - 1)];
        }
        load_bytes(bytes, (size_t) rand_r(&seed) % 8 == 0
                              ? (size_t) rand_r(&seed) % sizeof(bytes)
                              : sizeof(bytes) - 1);
    }
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("config_ini");
    TCase *tc = fixture_case(s, "ini");

    tcase_add_loop_test(tc, wrong_text_is_refused_with_its_line, 0,
                        COUNT(refusals));
    tcase_add_test(tc, nul_is_refused_with_its_line);
    tcase_add_test(tc, a_huge_file_is_refused);
    tcase_add_loop_test(tc, values_are_read_as_written, 0, COUNT(forms));
    tcase_add_test(tc, a_value_is_capped);
    tcase_add_test(tc, continued_lines_are_capped_too);
    tcase_add_test(tc, random_bytes_do_no_harm);
    tcase_add_test(tc, mutated_files_do_no_harm);
    return s;
}

ODKS_UNIT_MAIN(suite)
