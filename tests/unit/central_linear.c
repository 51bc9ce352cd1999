/* tests/unit/central_linear.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a form takes time in proportion to its length. The code that reads
 * forms is linked in a build that counts its basic blocks, so that this holds
 * on any machine, however busy.
 */
#include <config.h>

#include <string.h>

#include "central/internal.h"
#include "central/xform.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"
#include "unit.h"

enum { PARTS = 100 };

static unsigned long blocks;

/* The compiler calls it in each basic block. */
void __sanitizer_cov_trace_pc(void);

void
__sanitizer_cov_trace_pc(void)
{
    blocks++;
}

/* A form of which one part is there many times: "%d" is the number of each. */
static const struct {
    const char *name;
    const char *translation, *instance, *item, *body;
} kinds[] = {
    { "languages", "<translation lang=\"l%d\"/>", "", "", "" },
    { "texts",
      "<translation lang=\"l\"><text id=\"t%d\"><value>T</value></text>"
      "</translation>",
      "", "", "" },
    { "instances", "", "<instance id=\"i%d\"><root/></instance>", "",
      "<select1 ref=\"/data/s%d\"><itemset nodeset=\"instance('i%d')/root/"
      "item\"><value ref=\"name\"/><label ref=\"label\"/></itemset>"
      "</select1>" },
    { "choices", "", "", "<item><name>n%d</name><label>L%d</label></item>",
      "" },
    { "choices with texts",
      "<translation lang=\"l\"><text id=\"t%d\"><value>T</value></text>"
      "</translation>",
      "", "<item><name>n%d</name><label ref=\"jr:itext('t%d')\"/></item>", "" },
    { "choices of one name", "", "",
      "<item><name>n</name><label>L</label><p>%d</p></item>", "" },
    { "questions", "", "", "",
      "<input ref=\"/data/q%d\"><label>Q%d</label></input>" },
    { "questions of another script", "", "", "",
      "<input ref=\"/data/\xd0\xb8%d\"><label>Q%d</label></input>" },
    { "selects of one list", "", "", "",
      "<select1 ref=\"/data/q%d\"><itemset nodeset=\"instance('x')/root/item"
      "[p = /data/q%d]\"><value ref=\"name\"/><label ref=\"label\"/>"
      "</itemset></select1>" },
    { "selects with choices", "", "", "",
      "<select1 ref=\"/data/q%d\"><item><value>a%d</value><label>A</label>"
      "</item></select1>" },
};

static void
add_part(struct odks_buf *b, const char *part, int number)
{
    for (const char *at; (at = strstr(part, "%d")) != NULL; part = at + 2)
        ck_assert(
            odks_buf_printf(b, "%.*s%d", (int) (at - part), part, number));
    ck_assert(odks_buf_add_str(b, part));
}

static void
add_parts(struct odks_buf *b, const char *part, int count)
{
    for (int i = 0; i < count; i++)
        add_part(b, part, i);
}

static unsigned long
count_blocks(size_t kind, int count)
{
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(1 << 24);
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_xform *form = NULL;

    ck_assert(odks_buf_add_str(
        &b, "<h:html xmlns=\"x\" xmlns:h=\"h\" xmlns:jr=\"j\"><h:head><model>"
            "<instance><data/></instance><itext>"));
    add_parts(&b, kinds[kind].translation, count);
    ck_assert(odks_buf_add_str(&b, "</itext>"));
    add_parts(&b, kinds[kind].instance, count);
    ck_assert(odks_buf_add_str(&b, "<instance id=\"x\"><root>"));
    add_parts(&b, kinds[kind].item, count);
    ck_assert(odks_buf_add_str(
        &b, "</root></instance></model></h:head><h:body><select1 ref=\"/data/"
            "s\"><itemset nodeset=\"instance('x')/root/item\"><value ref=\""
            "name\"/><label ref=\"label\"/></itemset></select1>"));
    add_parts(&b, kinds[kind].body, count);
    ck_assert(odks_buf_add_str(&b, "</h:body></h:html>"));
    blocks = 0;
    ck_assert_msg(odks_xform_parse(b.data, b.len, &form, &err), "%s",
                  err.message);
    odks_xform_free(form);
    return blocks;
}

static void
ck_linear(const char *name, unsigned long once, unsigned long twice,
          unsigned long four_times)
{
    ck_assert_msg(once > PARTS, "%s: %lu blocks are counted", name, once);
    /* what twice as many parts add, and what four times as many add to that */
    ck_assert_msg(10 * (four_times - twice) < 25 * (twice - once),
                  "%s: %lu, %lu, %lu blocks", name, once, twice, four_times);
}

START_TEST(forms)
{
    ck_linear(kinds[_i].name, count_blocks((size_t) _i, PARTS / 2),
              count_blocks((size_t) _i, PARTS),
              count_blocks((size_t) _i, 2 * PARTS));
}
END_TEST

/* "/q" and digits, or "/" and letters that OData all makes one "__" of. */
static char *
make_path(int number, bool is_shared)
{
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(100);

    if (!is_shared)
        return odks_xasprintf("/q%d", number);
    ck_assert(odks_buf_add_char(&b, '/'));
    for (int bit = 1; bit <= 2 * PARTS; bit *= 2)
        ck_assert(odks_buf_add_str(&b, number & bit ? "\xd0\xb8" : "\xd0\xb9"));
    return odks_xstrdup(b.data);
}

static struct json_object *
make_list(int count, bool is_shared, bool is_odata)
{
    struct json_object *list = json_object_new_array();

    for (int i = 0; i < count; i++) {
        struct json_object *field = json_object_new_object();
        CLEANUP_FREE char *path = make_path(i, is_shared);
        CLEANUP_FREE char *clean = odks_xform_odata_path(path);

        (void) json_object_object_add(
            field, "path", json_object_new_string(is_odata ? clean : path));
        (void) json_object_array_add(list, field);
    }
    return list;
}

static unsigned long
count_fields(int count, bool is_shared)
{
    CLEANUP_JSON struct json_object *odata = make_list(count, is_shared, true);
    CLEANUP_JSON struct json_object *raw = make_list(count, is_shared, false);
    struct odks_err err = ODKS_ERR_INIT;

    blocks = 0;
    CLEANUP_FIELD struct odks_field *root =
        odks_fields_build(odata, is_shared ? raw : NULL, &err);
    ck_assert_msg(root != NULL, "%s", err.message);
    ck_assert_uint_eq(root->child_count, (size_t) count);
    return blocks;
}

START_TEST(fields)
{
    bool is_shared = _i == 1;

    ck_linear("fields", count_fields(PARTS / 2, is_shared),
              count_fields(PARTS, is_shared),
              count_fields(2 * PARTS, is_shared));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("central_linear");
    TCase *tc = tcase_create("linear");

    tcase_add_loop_test(tc, forms, 0, sizeof(kinds) / sizeof(kinds[0]));
    tcase_add_loop_test(tc, fields, 0, 2);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
