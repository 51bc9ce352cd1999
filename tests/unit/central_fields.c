/* tests/unit/central_fields.c - SPDX-License-Identifier: Apache-2.0 */
/* The tree of fields, and definitions that cannot be used. */
#include <config.h>

#include "central/central.h"

#include <stdio.h>
#include <string.h>

#include "central_script.h"
#include "core/buf.h"
#include "unit.h"

#define FIELD(path, type)                     \
    "{\"path\":\"" path "\",\"type\":\"" type \
    "\",\"binary\":null,\"selectMultiple\":null}"

static const char
    all_types
        [] =
            "[" FIELD("/a", "string") "," FIELD("/b", "int") "," FIELD(
                "/c",
                "decim"
                "al") "," FIELD("/d", "boolean") "," FIELD("/e", "date") "," FIELD("/f",
                                                                                   "time") "," FIELD("/g",
                                                                                                     "dateTime") "," FIELD("/h", "geopoint") "," FIELD("/i", "geotrace") "," FIELD("/j", "geoshape") "," FIELD("/k", "barcode") "," FIELD("/l", "unknown") ",{\"path\":\"/m\",\"type\":\"binary\",\"binary\":true},"
                                                                                                                                                                                                                                                           "{\"path\":\"/n\",\"type\":\"string\",\"selectMultiple\":true}," FIELD("/o", "structure") "," FIELD("/o/x", "int") "," FIELD(
                                                                                                                                                                                                                                                               "/p",
                                                                                                                                                                                                                                                               "repeat") "," FIELD("/p/__system", "string") "," FIELD("/p/q",
                                                                                                                                                                                                                                                                                                                      "structure") "," FIELD("/p/q/__id", "string") "," FIELD("/p/q/r", "repeat") "," FIELD("/p/q/r/x",
                                                                                                                                                                                                                                                                                                                                                                                                            "date") "," FIELD("/A",
                                                                                                                                                                                                                                                                                                                                                                                                                              "int") "]";

START_TEST(fields)
{
    static const enum odks_field_type types[] = {
        ODKS_FIELD_TEXT,     ODKS_FIELD_INT,
        ODKS_FIELD_DECIMAL,  ODKS_FIELD_BOOLEAN,
        ODKS_FIELD_DATE,     ODKS_FIELD_TIME,
        ODKS_FIELD_DATETIME, ODKS_FIELD_GEOPOINT,
        ODKS_FIELD_GEOTRACE, ODKS_FIELD_GEOSHAPE,
        ODKS_FIELD_TEXT,     ODKS_FIELD_TEXT,
        ODKS_FIELD_BINARY,   ODKS_FIELD_SELECT_MULTIPLE,
        ODKS_FIELD_GROUP,    ODKS_FIELD_REPEAT,
        ODKS_FIELD_INT
    };
    /* because of "_", the names of the form are requested as well */
    const struct script_step steps[] = {
        LOGIN, JSON(all_types), JSON(all_types), { NULL }
    };
    struct session s;
    struct odks_field *root;

    session_begin(&s, steps);
    ck_assert_msg(odks_central_fields(s.central, 1, "f", &root, &s.err), "%s",
                  s.err.message);
    ck_assert_str_eq(root->name, "");
    ck_assert_int_eq(root->type, ODKS_FIELD_GROUP);
    ck_assert_uint_eq(root->child_count, sizeof(types) / sizeof(types[0]));
    for (size_t i = 0; i < root->child_count; i++)
        ck_assert_int_eq(root->child[i]->type, types[i]);
    const struct odks_field *p = root->child[15];
    ck_assert_str_eq(p->name, "p");
    ck_assert_uint_eq(p->child_count, 2);
    const struct odks_field *x = p->child[1]->child[1]->child[0];
    ck_assert_str_eq(x->path, "/p/q/r/x");
    ck_assert_str_eq(x->name, "x");
    ck_assert_int_eq(x->type, ODKS_FIELD_DATE);
    odks_field_free(root);
    session_end(&s);
}
END_TEST

static const struct {
    const char *name;
    const char *odata;
    enum odks_exit code;
    const char *says;
} refused[] = {
    { "__id", "[" FIELD("/__id", "string") "]", ODKS_EXIT_DATA, "/__id" },
    { "__system", "[" FIELD("/__system", "string") "]", ODKS_EXIT_DATA,
      "/__system" },
    { "__id in a repeat",
      "[" FIELD("/r", "repeat") "," FIELD("/r/__id", "string") "]",
      ODKS_EXIT_DATA, "/r/__id" },
    { "no group", "[" FIELD("/a/b", "string") "]", ODKS_EXIT_DATA, "/a/b" },
    { "in a question",
      "[" FIELD("/a", "string") "," FIELD("/a/b", "string") "]", ODKS_EXIT_DATA,
      "/a/b" },
    { "no slash", "[" FIELD("a", "string") "]", ODKS_EXIT_DATA, "a" },
    { "no name", "[" FIELD("/", "string") "]", ODKS_EXIT_DATA, "/" },
    { "no path", "[{}]", ODKS_EXIT_DATA, "definition" },
    { "no object", "[1]", ODKS_EXIT_DATA, "definition" },
    { "no list", "{}", ODKS_EXIT_PROTOCOL, "no list" },
};

START_TEST(refused_fields)
{
    struct script_step steps[] = {
        LOGIN, JSON(refused[_i].odata), { NULL }, { NULL }
    };
    struct session s;
    struct odks_field *root;

    if (strchr(refused[_i].odata, '_') != NULL)
        steps[2] = steps[1];
    session_begin(&s, steps);
    ck_assert(!odks_central_fields(s.central, 1, "f", &root, &s.err));
    ck_assert_ptr_null(root);
    ck_assert_msg(s.err.code == refused[_i].code, "%s: %d %s", refused[_i].name,
                  s.err.code, s.err.message);
    ck_assert_msg(strstr(s.err.message, refused[_i].says) != NULL, "%s: %s",
                  refused[_i].name, s.err.message);
    session_end(&s);
}
END_TEST

/* Questions to which Central's OData gives one key, as one line each field. */
static const struct {
    const char *name;
    const char *odata;
    const char *raw;
    const char *tree;  /* path, type, key if it is another, what is amiss */
    const char *first; /* what only the XML tells apart; NULL: nothing */
} shared[] = {
    { "two questions",
      "[" FIELD("/a_b", "int") "," FIELD("/x_y", "date") "," FIELD(
          "/a_b", "string") "]",
      "[{\"path\":\"/a-b\"},{\"path\":\"/x-y\"},{\"path\":\"/a.b\"}]",
      "/a-b int a_b shared\n/x-y date\n/a.b text a_b shared\n", "/a-b" },
    { "another script", "[" FIELD("/__", "string") "," FIELD("/__", "int") "]",
      "[{\"path\":\"/\xd0\xb8\xd0\xbc\xd1\x8f\"},"
      "{\"path\":\"/\xd0\xbb\xd0\xb5\xd1\x82\"}]",
      "/\xd0\xb8\xd0\xbc\xd1\x8f text __ shared\n"
      "/\xd0\xbb\xd0\xb5\xd1\x82 int __ shared\n",
      "/\xd0\xb8\xd0\xbc\xd1\x8f" },
    { "two repeats",
      "[" FIELD("/r_1", "repeat") "," FIELD("/r_1/v", "int") "," FIELD(
          "/r_1", "repeat") "," FIELD("/r_1/v", "string") "," FIELD("/r_1/w",
                                                                    "int") "]",
      "[{\"path\":\"/r-1\"},{\"path\":\"/r-1/v\"},{\"path\":\"/r.1\"},"
      "{\"path\":\"/r.1/v\"},{\"path\":\"/r.1/w\"}]",
      "/r-1 repeat r_1 shared\n/r-1/v int shared\n"
      "/r.1 repeat r_1 shared\n/r.1/v text shared\n/r.1/w int\n",
      "/r-1" },
    { "two groups",
      "[" FIELD("/g_1", "structure") "," FIELD("/g_1/v", "int") "," FIELD(
          "/g_1", "structure") "," FIELD("/g_1/w",
                                         "int") "," FIELD("/g_1/r",
                                                          "repeat") "]",
      "[{\"path\":\"/g-1\"},{\"path\":\"/g-1/v\"},{\"path\":\"/g.1\"},"
      "{\"path\":\"/g.1/w\"},{\"path\":\"/g.1/r\"}]",
      "/g-1 group g_1 shared\n/g-1/v int\n"
      "/g.1 group g_1 shared\n/g.1/w int\n/g.1/r repeat\n",
      NULL },
    { "group and question",
      "[" FIELD("/a_b", "string") "," FIELD("/a_b", "structure") "," FIELD(
          "/a_b/c", "int") "," FIELD("/a_b/r", "repeat") "]",
      "[{\"path\":\"/a-b\"},{\"path\":\"/a.b\"},{\"path\":\"/a.b/c\"},"
      "{\"path\":\"/a.b/r\"}]",
      "/a-b text a_b shared\n/a.b group a_b shared\n/a.b/c int shared\n"
      "/a.b/r repeat shared lost\n",
      "/a-b" },
    { "repeat and question",
      "[" FIELD("/a_b", "repeat") "," FIELD("/a_b/c", "int") "," FIELD(
          "/a_b", "string") "]",
      "[{\"path\":\"/a-b\"},{\"path\":\"/a-b/c\"},{\"path\":\"/a.b\"}]",
      "/a-b repeat a_b shared lost\n/a-b/c int shared\n/a.b text a_b "
      "shared\n",
      "/a-b" },
};

static void
print_tree(const struct odks_field *f, struct odks_buf *out)
{
    static const char *const words[] = {
        [ODKS_FIELD_TEXT] = "text",     [ODKS_FIELD_INT] = "int",
        [ODKS_FIELD_DATE] = "date",     [ODKS_FIELD_GROUP] = "group",
        [ODKS_FIELD_REPEAT] = "repeat",
    };

    for (size_t i = 0; i < f->child_count; i++) {
        const struct odks_field *child = f->child[i];

        ck_assert(odks_buf_printf(
            out, "%s %s%s%s%s%s\n", child->path, words[child->type],
            child->key != NULL ? " " : "", child->key != NULL ? child->key : "",
            child->is_shared ? " shared" : "", child->is_lost ? " lost" : ""));
        print_tree(child, out);
    }
}

START_TEST(shared_keys)
{
    const struct script_step steps[] = {
        LOGIN, JSON(shared[_i].odata), JSON(shared[_i].raw), { NULL }
    };
    struct odks_buf tree = ODKS_BUF_INIT(4096);
    struct session s;
    struct odks_field *root;

    session_begin(&s, steps);
    ck_assert_msg(odks_central_fields(s.central, 1, "f", &root, &s.err), "%s",
                  s.err.message);
    struct odks_field *copy = odks_field_copy(root);
    print_tree(copy, &tree);
    ck_assert_msg(strcmp(tree.data, shared[_i].tree) == 0, "%s:\n%s",
                  shared[_i].name, tree.data);
    const struct odks_field *first = odks_field_shared(root);
    ck_assert_pstr_eq(first != NULL ? first->path : NULL, shared[_i].first);
    odks_buf_free(&tree);
    odks_field_free(copy);
    odks_field_free(root);
    session_end(&s);
}
END_TEST

/* The path is that of the form, even if no other field has the key. */
START_TEST(path_is_that_of_the_form)
{
    const struct script_step steps[] = {
        LOGIN,
        JSON("[" FIELD("/g_1", "structure") "," FIELD("/g_1/__", "int") "]"),
        JSON("[{\"path\":\"/g.1\"},{\"path\":\"/g.1/\xd0\xb8\"}]"),
        { NULL }
    };
    struct session s;
    struct odks_field *root;

    session_begin(&s, steps);
    ck_assert_msg(odks_central_fields(s.central, 1, "f", &root, &s.err), "%s",
                  s.err.message);
    const struct odks_field *field = root->child[0]->child[0];
    ck_assert_str_eq(field->path, "/g.1/\xd0\xb8");
    ck_assert_str_eq(odks_field_odata(field), "/g_1/__");
    ck_assert_str_eq(field->name, "__");
    ck_assert(!field->is_shared && !odks_field_has_key(root));
    odks_field_free(root);
    session_end(&s);
}
END_TEST

/* Without the names that the form gives them no answer can be found. */
static const struct {
    struct script_step step;
    enum odks_exit code;
} bad_names[] = {
    { REFUSAL("404 Not Found", "404.1"), ODKS_EXIT_CONFIG },
    { JSON("{}"), ODKS_EXIT_DATA },
    { JSON("[{\"path\":\"/a-b\"}]"), ODKS_EXIT_DATA },
    { JSON("[{\"path\":\"/a-b\"},{\"path\":\"/c\"}]"), ODKS_EXIT_DATA },
    { JSON("[{\"path\":\"/a-b\"},{\"path\":\"/a-b\"}]"), ODKS_EXIT_DATA },
};

START_TEST(shared_keys_without_names)
{
    const struct script_step steps[] = {
        LOGIN,
        JSON("[" FIELD("/a_b", "int") "," FIELD("/a_b", "int") "]"),
        bad_names[_i].step,
        { NULL }
    };
    struct session s;
    struct odks_field *root;

    session_begin(&s, steps);
    ck_assert(!odks_central_fields(s.central, 1, "f", &root, &s.err));
    ck_assert_ptr_null(root);
    ck_assert_int_eq(s.err.code, bad_names[_i].code);
    session_end(&s);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("central_fields");
    TCase *tc = tcase_create("fields");

    tcase_add_test(tc, fields);
    tcase_add_loop_test(tc, refused_fields, 0, COUNT(refused));
    tcase_add_loop_test(tc, shared_keys, 0, COUNT(shared));
    tcase_add_test(tc, path_is_that_of_the_form);
    tcase_add_loop_test(tc, shared_keys_without_names, 0, COUNT(bad_names));
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
