/* tests/unit/central_choices.c - SPDX-License-Identifier: Apache-2.0 */
/* Lists of choices: how large they may be, names that come twice, filters. */
#include <config.h>

#include "central/choices.h"

#include <string.h>

#include "central_xform_help.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/stop.h"
#include "unit.h"

#define HEAD                                              \
    "<h:html xmlns=\"http://www.w3.org/2002/xforms\""     \
    " xmlns:h=\"http://www.w3.org/1999/xhtml\""           \
    " xmlns:jr=\"http://openrosa.org/javarosa\"><h:head>" \
    "<model><instance><data/></instance>"

static const struct odks_choice_list *
list_of(const struct odks_xform *form, const char *name)
{
    for (size_t i = 0; i < form->list_count; i++) {
        if (strcmp(form->list[i].name, name) == 0)
            return &form->list[i];
    }
    ck_abort_msg("no list %s", name);
    return NULL;
}

static void
add(struct odks_buf *b, const char *text)
{
    ck_assert(odks_buf_add_str(b, text));
}

/* A form with as many languages, texts and items as fit into its parts. */
static void
add_large_form(struct odks_buf *b, int languages, int items)
{
    add(b, HEAD "<itext>");
    for (int i = 0; i < languages; i++)
        ck_assert(odks_buf_printf(b, "<translation lang=\"l%d\"/>", i));
    add(b, "<translation lang=\"l0\">");
    for (int i = 0; i < items; i++)
        ck_assert(odks_buf_printf(
            b, "<text id=\"t%d\"><value>T%d</value></text>", i, i));
    add(b, "</translation></itext><instance id=\"x\"><root>");
    for (int i = 0; i < items; i++)
        ck_assert(odks_buf_printf(b,
                                  "<item><itextId>t%d</itextId><name>n%d</name>"
                                  "</item>",
                                  i, i));
    add(b,
        "</root></instance></model></h:head><h:body><select1 ref=\"/data/s\">"
        "<itemset nodeset=\"instance('x')/root/item\"><value ref=\"name\"/>"
        "<label ref=\"jr:itext(itextId)\"/></itemset></select1></h:body>"
        "</h:html>");
}

/* More than a form has: as many languages, or choices in all of them. */
START_TEST(too_many_languages_or_choices)
{
    CLEANUP_BUF struct odks_buf languages = ODKS_BUF_INIT(1 << 24);
    CLEANUP_BUF struct odks_buf items = ODKS_BUF_INIT(1 << 24);

    add_large_form(&languages, 20000, 1);
    ck_refused(languages.data, languages.len, ODKS_EXIT_DATA,
               "more than 200 languages");
    add_large_form(&items, ODKS_XFORM_LANGUAGES,
                   ODKS_XFORM_CHOICES / ODKS_XFORM_LANGUAGES + 1);
    ck_refused(items.data, items.len, ODKS_EXIT_DATA, "more than 2000000");
}
END_TEST

/* Texts are shared: what a form needs does not grow with its languages. */
START_TEST(a_large_form)
{
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(1 << 24);
    const int count = ODKS_XFORM_CHOICES / ODKS_XFORM_LANGUAGES;

    add_large_form(&b, ODKS_XFORM_LANGUAGES, count);
    struct odks_xform *form = parse(b.data);
    const struct odks_choice_list *x = list_of(form, "x");

    ck_assert_uint_eq(form->language_count, ODKS_XFORM_LANGUAGES);
    ck_assert_uint_eq(form->text_count, (size_t) count);
    ck_assert_uint_eq(x->count, (size_t) count);
    ck_assert_uint_eq(x->choice[count - 1].label.count, 1);
    ck_assert_ptr_eq(x->choice[1].label.text, &form->text[1]);
    ck_assert_str_eq(odks_label_text(&x->choice[1].label, 7), "T1");
    odks_xform_free(form);
}
END_TEST

START_TEST(asked_to_stop)
{
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(1 << 24);
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_xform *form = NULL;

    add_large_form(&b, 2, 10000);
    odks_stop_at(odks_deadline_in(0));
    ck_assert(!odks_xform_parse(b.data, b.len, &form, &err));
    ck_assert_ptr_null(form);
    ck_assert(err.interrupted);
    ck_assert_int_eq(err.code, ODKS_EXIT_TEMPFAIL);
}
END_TEST

/* Choices of one name, and the conditions of filters. */
START_TEST(ambiguous_choices)
{
    struct odks_xform *form = parse(
        HEAD "<instance id=\"v\"><root>"
             "<item><name>c</name><label>Centre of A</label><p>a</p></item>"
             "<item><name>d</name><label>D</label><p>a</p></item>"
             "<item><name>c</name><label>Centre of B</label><p> b </p></item>"
             "</root></instance></model></h:head><h:body>"
             "<select1 ref=\"/data/c\"><itemset nodeset=\"instance('v')"
             "/root/item\"><value ref=\"name\"/><label ref=\"label\"/>"
             "</itemset></select1></h:body></h:html>");
    const struct odks_choice_list *v = list_of(form, "v");

    ck_assert_uint_eq(v->count, 3);
    ck_assert_uint_eq(v->ambiguous, 2);
    ck_assert(v->choice[0].is_ambiguous);
    ck_assert(!v->choice[1].is_ambiguous);
    ck_assert_ptr_null(v->choice[1].property);
    ck_assert_str_eq(odks_choice_property(&v->choice[0], "p"), "a");
    ck_assert_str_eq(odks_choice_property(&v->choice[2], "p"), "b");
    ck_assert_str_eq(odks_choice_property(&v->choice[2], "name"), "");
    odks_xform_free(form);
}
END_TEST

static const struct {
    const char *predicates;
    const char *filter; /* "property=/path" or "property='text'", each
                           with a blank behind */
} filters[] = {
    { "[p = /data/x-y/d]", "p=/x-y/d " },
    { "[ /data/d=p ]", "p=/d " },
    { "[p = current()/../d]", "p=/g/d " },
    { "[p= ../../d and q='k l']", "p=/d q='k l' " },
    { "[(p = /data/d and (q = /data/e)) and r != /data/f]", "p=/d q=/e " },
    { "[p = /data/d][q = /data/e]", "p=/d q=/e " },
    { "[p = /data/d or q = /data/e]", "" },
    { "[p = /data/d and (q = /data/e or q = 'all')]", "p=/d " },
    { "[selected(/data/d, p)]", "" },
    { "[p = concat(/data/d, 'x')]", "" },
    { "[p = /data/d + 1]", "" },
    { "[not(p = /data/d)]", "" },
    { "[p >= /data/d]", "" },
    { "[1]", "" },
    { "[p = 'it' and 'x' = 'x']", "p='it' " },
    { "[p = /data/r[position() = 1]/d]", "" },
    { "[p = /data/d", "" },
    { "[p = 'a] and q = /data/d]", "" },
    { "", "" },
};

START_TEST(filter_conditions)
{
    CLEANUP_BUF struct odks_buf found = ODKS_BUF_INIT(4096);
    CLEANUP_FREE char *nodeset = odks_xasprintf(
        "randomize(instance('v')/root/item%s)", filters[_i].predicates);
    struct odks_question q = { 0 };

    add(&found, "");
    odks_filter_read(nodeset, "/data/g/s", &q);
    for (size_t i = 0; i < q.filter_count; i++) {
        const struct odks_filter *f = &q.filter[i];

        ck_assert(
            f->text != NULL
                ? odks_buf_printf(&found, "%s='%s' ", f->property, f->text)
                : odks_buf_printf(&found, "%s=%s ", f->property, f->path));
    }
    ck_assert_msg(strcmp(found.data, filters[_i].filter) == 0, "%s: %s",
                  nodeset, found.data);
    odks_filter_free(&q);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("central_choices");
    TCase *tc = tcase_create("choices");

    tcase_add_test(tc, too_many_languages_or_choices);
    tcase_add_test(tc, a_large_form);
    tcase_add_test(tc, asked_to_stop);
    tcase_add_test(tc, ambiguous_choices);
    tcase_add_loop_test(tc, filter_conditions, 0,
                        (int) (sizeof(filters) / sizeof(filters[0])));
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
