/* tests/unit/central_xform.c - SPDX-License-Identifier: Apache-2.0 */
/* Titles, languages, labels and choices of XForms, and what is none. */
#include <config.h>

#include "central/xform.h"

#include <stdlib.h>
#include <string.h>

#include "central/xml.h"
#include "central_script.h"
#include "central_xform_help.h"
#include "core/buf.h"
#include "core/mem.h"
#include "unit.h"

#define HEAD                                                             \
    "<?xml version=\"1.0\"?>\n"                                          \
    "<h:html xmlns=\"http://www.w3.org/2002/xforms\""                    \
    " xmlns:h=\"http://www.w3.org/1999/xhtml\""                          \
    " xmlns:jr=\"http://openrosa.org/javarosa\""                         \
    " xmlns:odk=\"http://www.opendatakit.org/xforms\">\n"                \
    "  <h:head>\n    <h:title>House &amp; home</h:title>\n    <model>\n" \
    "      <instance><data id=\"h\" version=\"1\"><name/></data></instance>"

#define ITEXT                                                                 \
    "<itext>\n"                                                               \
    "<translation lang=\"Fran\xc3\xa7"                                        \
    "ais (fr)\">"                                                             \
    "<text id=\"/data/name:label\"><value>Quel est votre nom ?</value>"       \
    "</text><text id=\"/data/sex:label\"><value>-</value></text>"             \
    "<text id=\"sexes-0\"><value>Femme</value></text>"                        \
    "<text id=\"sexes-1\"><value/></text>"                                    \
    "</translation>\n"                                                        \
    "<translation lang=\"English (en)\" default=\"true()\">"                  \
    "<text id=\"/data/name:label\"><value form=\"image\">jr://images/a.png"   \
    "</value><value>What is\n  your <![CDATA[<b>name</b>]]> ?</value></text>" \
    "<text id=\"/data/sex:label\"><value>Sex of <output value=\" /data/name " \
    "\"/>, <output value=\"1 + 1\"/></value></text>"                          \
    "<text id=\"/data/pic:label\"><value form=\"short\">short</value>"        \
    "<value form=\"long\">long</value></text>"                                \
    "<text id=\"sexes-0\"><value>Female</value></text>"                       \
    "<text id=\"sexes-1\"><value>Male</value></text>"                         \
    "</translation>\n</itext>"

#define SEXES                                                    \
    "<instance id=\"sexes\"><root>\n"                            \
    "<item><itextId>sexes-0</itextId><name>f</name></item>\n"    \
    "<item><itextId>sexes-1</itextId><name>m</name></item>\n"    \
    "<item><name/></item></root></instance>"                     \
    "<instance id=\"towns\"><root><item><label>Old town</label>" \
    "<name>old</name><state>x</state></item></root></instance>"  \
    "<instance id=\"wards\" src=\"jr://file-csv/wards.csv\"/>"

static const char rich[] = HEAD ITEXT SEXES
    "</model></h:head><h:body class=\"pages\">\n"
    "<input ref=\"/data/name\"><label ref=\"jr:itext('/data/name:label')\"/>"
    "<hint>not this</hint></input>\n"
    "<select1 ref=\"/data/sex\"><label ref='jr:itext(\"/data/sex:label\")'/>"
    "<itemset nodeset=\"instance('sexes')/root/item\"><value ref=\"name\"/>"
    "<label ref=\"jr:itext(itextId)\"/></itemset></select1>"
    "<upload ref=\"/data/pic\"><label ref=\"jr:itext('/data/pic:label')\"/>"
    "</upload>"
    "<group ref=\"/data/member-list\"><label>Members</label>"
    "<repeat nodeset=\"/data/member-list\">"
    "<select ref=\"/data/member-list/2nd.town\"><label>Towns</label>"
    "<itemset nodeset=\"randomize(instance( 'towns' )/root/item[state = "
    "/data/state])\"><value ref=\"name\"/><label ref=\"label\"/></itemset>"
    "</select>"
    "<odk:rank ref=\"/data/member-list/order\"><label>Order</label>"
    "<itemset nodeset=\"instance('sexes')/root/item\"><value ref=\"name\"/>"
    "<label ref=\"jr:itext(itextId)\"/></itemset></odk:rank>"
    "<group ref=\"inner\"><input ref=\"leaf\"><label>Leaf</label></input>"
    "</group></repeat></group>"
    "<group appearance=\"field-list\">"
    "<select1 ref=\"/data/yn\"><label>Yes?</label>"
    "<item><label>Yes</label><value>y</value></item>"
    "<item><label> No\t</label><value>n</value></item></select1></group>"
    "<select1 ref=\"/data/ward\"><label>Ward</label>"
    "<itemset nodeset=\"instance('wards')/root/item\"><value ref=\"name\"/>"
    "<label ref=\"label\"/></itemset></select1>"
    "<select1 ref=\"/data/shop\" appearance=\"minimal search('shops')\">"
    "<label>Shop</label><item><label>l</label><value>v</value></item>"
    "</select1>"
    "<select1 ref=\"/data/who\"><label>Who</label>"
    "<itemset nodeset=\"/data/member-list\"><value ref=\"x\"/></itemset>"
    "</select1>"
    "<input ref=\"/data/nolabel\"/><input><label>lost</label></input>"
    "</h:body></h:html>";

static void
ck_label(const struct odks_xform *form, const char *path, size_t language,
         const char *expected)
{
    const struct odks_question *q = odks_xform_question(form, path);

    ck_assert_msg(q != NULL, "no question %s", path);
    const char *label = odks_label_text(&q->label, language);
    ck_assert_msg(label != NULL, "%s has no label", path);
    ck_assert_str_eq(label, expected);
}

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

START_TEST(languages_and_labels)
{
    struct odks_xform *form = parse(rich);

    ck_assert_str_eq(form->title, "House & home");
    ck_assert_uint_eq(form->language_count, 2);
    ck_assert_str_eq(form->language[0], "English (en)");
    ck_assert_str_eq(form->language[1], "Fran\xc3\xa7"
                                        "ais (fr)");
    ck_label(form, "/name", 0, "What is your <b>name</b> ?");
    ck_label(form, "/name", 1, "Quel est votre nom ?");
    ck_label(form, "/sex", 0, "Sex of ${name}, ...");
    ck_label(form, "/sex", 1, "Sex of ${name}, ..."); /* "-" is none */
    ck_label(form, "/pic", 0, "long");
    ck_label(form, "/member-list", 1, "Members");
    ck_label(form, "/member-list/inner/leaf", 0, "Leaf");
    ck_assert_ptr_null(odks_xform_question(form, "/nolabel"));
    ck_assert_ptr_null(odks_xform_question(form, "/lost"));
    odks_xform_free(form);
}
END_TEST

START_TEST(selects)
{
    static const struct {
        const char *path;
        enum odks_select select;
        const char *list, *file;
    } want[] = {
        { "/name", ODKS_SELECT_NONE, NULL, NULL },
        { "/sex", ODKS_SELECT_ONE, "sexes", NULL },
        { "/member-list/2nd.town", ODKS_SELECT_MANY, "towns", NULL },
        { "/member-list/order", ODKS_SELECT_MANY, "sexes", NULL },
        { "/yn", ODKS_SELECT_ONE, "/yn", NULL },
        { "/ward", ODKS_SELECT_ONE, NULL, "wards.csv" },
        { "/shop", ODKS_SELECT_ONE, NULL, "shops.csv" },
        { "/who", ODKS_SELECT_ONE, NULL, NULL },
    };
    struct odks_xform *form = parse(rich);

    for (int i = 0; i < COUNT(want); i++) {
        const struct odks_question *q = odks_xform_question(form, want[i].path);

        ck_assert_msg(q != NULL, "no question %s", want[i].path);
        ck_assert_int_eq(q->select, want[i].select);
        ck_assert_pstr_eq(q->list, want[i].list);
        ck_assert_pstr_eq(q->file, want[i].file);
    }
    odks_xform_free(form);
}
END_TEST

START_TEST(choices)
{
    struct odks_xform *form = parse(rich);
    const struct odks_choice_list *sexes = list_of(form, "sexes");

    ck_assert_uint_eq(form->list_count, 3);
    ck_assert_uint_eq(sexes->count, 2); /* one has no name */
    ck_assert_str_eq(sexes->choice[0].name, "f");
    ck_assert_pstr_eq(odks_label_in(&sexes->choice[0].label, 0), "Female");
    ck_assert_pstr_eq(odks_label_in(&sexes->choice[0].label, 1), "Femme");
    ck_assert_ptr_null(odks_label_in(&sexes->choice[1].label, 1));
    ck_assert_pstr_eq(odks_label_text(&sexes->choice[1].label, 1), "Male");
    ck_assert_pstr_eq(
        odks_label_in(&list_of(form, "towns")->choice[0].label, 1), "Old town");
    const struct odks_choice_list *yn = list_of(form, "/yn");
    ck_assert_uint_eq(yn->count, 2);
    ck_assert_str_eq(yn->choice[1].name, "n");
    ck_assert_pstr_eq(odks_label_in(&yn->choice[1].label, 0), "No");
    odks_xform_free(form);
}
END_TEST

/* As Central's forms without translations come; a piece of a real one. */
START_TEST(without_translations)
{
    struct odks_xform *form = parse(
        HEAD "<bind nodeset=\"/data/hh_id\" type=\"string\"/></model></h:head>"
             "<h:body><input ref=\"/data/hh_id\"><label>hh_id</label></input>"
             "<group ref=\"/data/Location\"><label>Location</label>"
             "<group ref=\"/data/Location/address\"><label>address</label>"
             "<input ref=\"/data/Location/address/Street-Name\">"
             "<label>Street-Name</label></input>"
             "<input ref=\"/data/Location/address/zip.code\">"
             "<label>zip.code</label></input></group></group>"
             "<input ref=\"/data/_1st\"><label>_1st</label></input>"
             "<input ref=\"/data/1st\"><label>1st</label></input>"
             "<input ref=\"/data/\xc4\x8d\"><label>caron</label></input>"
             "<input ref=\"/data/a-.b_c\"><label>run</label></input>"
             "</h:body></h:html>");

    ck_assert_uint_eq(form->language_count, 1);
    ck_assert_str_eq(form->language[0], "default");
    ck_label(form, "/Location/address/Street-Name", 0, "Street-Name");
    ck_label(form, "/Location/address/zip.code", 0, "zip.code");
    ck_label(form, "/_1st", 0, "_1st");
    ck_label(form, "/1st", 0, "1st");
    ck_label(form, "/\xc4\x8d", 0, "caron");
    ck_label(form, "/a-.b_c", 0, "run");
    ck_assert_ptr_null(odks_xform_question(form, "/a_b_c"));
    odks_xform_free(form);
}
END_TEST

/* Measured on a real Central. */
static const struct {
    const char *path, *odata;
} paths[] = {
    { "/Location/address/Street-Name", "/Location/address/Street_Name" },
    { "/1st", "/_1st" },
    { "/_1st", "/_1st" },
    { "/a-.b_c", "/a_b_c" },
    { "/\xc4\x8d", "/__" },
    { "/x\xc4\x8d.y/z", "/x_y/z" },
};

START_TEST(odata_paths)
{
    CLEANUP_FREE char *made = odks_xform_odata_path(paths[_i].path);

    ck_assert_str_eq(made, paths[_i].odata);
}
END_TEST

START_TEST(no_forms)
{
    static const struct {
        const char *text;
        enum odks_exit code;
        const char *message;
    } bad[] = {
        { "", ODKS_EXIT_UNAVAILABLE, "cut short" },
        { "<a><b>", ODKS_EXIT_UNAVAILABLE, "cut short" },
        { "<a><b></a>", ODKS_EXIT_DATA, "line 1: mismatched tag" },
        { "<a/><b/>", ODKS_EXIT_DATA, "junk after document element" },
        { "<a>\x01</a>", ODKS_EXIT_DATA, "cannot be read" },
        { "<a>\xff</a>", ODKS_EXIT_DATA, "cannot be read" },
        { "<a>&unknown;</a>", ODKS_EXIT_DATA, "undefined entity" },
        { "{\"message\":\"no\"}", ODKS_EXIT_DATA, "cannot be read" },
        { "<html><head/><body/></html>", ODKS_EXIT_DATA, "no model" },
        { "<html><head><model/></head></html>", ODKS_EXIT_DATA, "no body" },
        { "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
          "<a>&x;</a>",
          ODKS_EXIT_DATA, "document type" },
        { "<!DOCTYPE lolz [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;&a;\">"
          "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]><lolz>&c;</lolz>",
          ODKS_EXIT_DATA, "document type" },
        { "<!DOCTYPE a SYSTEM \"http://127.0.0.1/a.dtd\"><a/>", ODKS_EXIT_DATA,
          "document type" },
    };
    const char *text = bad[_i].text;

    ck_refused(text, strlen(text), bad[_i].code, bad[_i].message);
}
END_TEST

static void
add(struct odks_buf *b, const char *text, size_t times)
{
    while (times-- > 0)
        ck_assert(odks_buf_add_str(b, text));
}

START_TEST(limits)
{
    CLEANUP_BUF struct odks_buf deep = ODKS_BUF_INIT(1 << 20);
    CLEANUP_BUF struct odks_buf many = ODKS_BUF_INIT(1 << 24);

    add(&deep, "<a>", ODKS_XML_DEPTH + 1);
    add(&deep, "</a>", ODKS_XML_DEPTH + 1);
    ck_refused(deep.data, deep.len, ODKS_EXIT_DATA, "goes too deep");
    add(&many, "<a>", 1);
    add(&many, "<b/>", ODKS_XML_NODES);
    add(&many, "</a>", 1);
    ck_refused(many.data, many.len, ODKS_EXIT_DATA, "too many elements");
}
END_TEST

/* Whatever comes: a form or an error, and no harm. */
START_TEST(damaged)
{
    const size_t len = sizeof(rich) - 1;
    CLEANUP_FREE char *text = odks_xstrdup(rich);
    uint64_t random = 1;

    for (size_t cut = 0; cut < len; cut += 3)
        ck_refused(rich, cut, ODKS_EXIT_UNAVAILABLE, "cut short");
    for (int i = 0; i < 2000; i++) {
        struct odks_err err = ODKS_ERR_INIT;
        struct odks_xform *form = NULL;

        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        size_t at = (random >> 33) % len;
        text[at] = "<>&'\"/:=[](-\0x "[(random >> 20) % 16];
        if (odks_xform_parse(text, len, &form, &err))
            ck_assert_uint_ge(form->language_count, 1);
        odks_xform_free(form);
        text[at] = rich[at];
    }
}
END_TEST

#define XML(line, text)                                                \
    {                                                                  \
        .status = line,                                                \
        .headers = "Content-Type: application/xml; charset=utf-8\r\n", \
        .body = text                                                   \
    }

START_TEST(from_central)
{
    static const struct {
        struct script_step step;
        enum odks_exit code;
    } cases[] = {
        { XML("200 OK", rich), ODKS_EXIT_OK },
        { XML("200 OK", "<h:html><h:head>"), ODKS_EXIT_UNAVAILABLE },
        { HTML("200 OK"), ODKS_EXIT_PROTOCOL },
        { JSON("{}"), ODKS_EXIT_PROTOCOL },
        { REFUSAL("403 Forbidden", "403.1"), ODKS_EXIT_NOPERM },
    };
    const struct script_step steps[] = { LOGIN, cases[_i].step, { NULL } };
    struct session s;
    struct odks_xform *form = NULL;

    session_begin(&s, steps);
    bool ok = odks_central_xform(s.central, 1, "odd id", &form, &s.err);
    ck_assert_int_eq(ok, cases[_i].code == ODKS_EXIT_OK);
    ck_assert_int_eq(s.err.code, cases[_i].code);
    ck_assert_int_eq(form != NULL, ok);
    ck_assert_ptr_nonnull(
        strstr(s.script.log->text, "GET /v1/projects/1/forms/odd%20id.xml "));
    odks_xform_free(form);
    session_end(&s);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("central_xform");
    TCase *tc = tcase_create("xform");

    tcase_add_test(tc, languages_and_labels);
    tcase_add_test(tc, selects);
    tcase_add_test(tc, choices);
    tcase_add_test(tc, without_translations);
    tcase_add_loop_test(tc, odata_paths, 0, sizeof(paths) / sizeof(paths[0]));
    tcase_add_loop_test(tc, no_forms, 0, 13);
    tcase_add_test(tc, limits);
    tcase_add_test(tc, damaged);
    tcase_add_loop_test(tc, from_central, 0, 5);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
