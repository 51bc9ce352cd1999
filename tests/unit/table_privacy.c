/* tests/unit/table_privacy.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table/privacy.h"

#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "table/rules.h"
#include "table_help.h"
#include "unit.h"

/* What `printf %s VALUE | openssl dgst -sha256 -hmac KEY` prints. */
#define KEY "0123456789abcdef"
#define OF_X "68f4d9c04881bab754f229e82dee00ccf8d9f6a7cf98125ac5e8254d6cd3cc3f"
#define OF_42 "8d24a2a526d5f556469db8b6280e3a7b877a41155ca536be3a1f2a9d2be0eacd"
#define OF_LONG \
    "14306044de5131c8d0cc34db56b3ecc774ffa45607bad001cf89fc532a63eec4"
#define OF_150 \
    "a056620904076ee8b9f0a3b2cd795080dbec4a8e6b91c7cd71eeec33e58f7290"
#define OF_TRUE \
    "d3af9eb57408b54bafc0bcbfe2fd11d315c8c29753e669ef720860cd8286bb1c"
#define OF_NOTHING \
    "496dc93fa2d26eae500ec0bc37a122706b88f8963cebf0899d0245fae313e241"
#define OF_WORDS \
    "29e562d41e97b9517ac85991e5923b9da885fc0d73cb98875586dd426eb13d20"
#define OF_5 "b03482c855bd539b42aac2ac9979c9ae6dce91f08ab006a12f9436a6f8b3850b"

/* A list of the configuration from a text: "a, b". */
struct list {
    char *text;
    const char *item[20];
};

static const char *const *
make_list(struct list *l, const char *text)
{
    size_t n = 0;

    *l = (struct list){ .text = odks_xstrdup(text != NULL ? text : "") };
    for (char *rest = l->text, *item; (item = strsep(&rest, ",")) != NULL;)
        l->item[n++] = item + strspn(item, " ");
    return text != NULL ? l->item : NULL;
}

struct rules {
    struct list drop, hash, coarsen;
    struct odks_job_conf conf;
    struct odks_privacy *privacy;
};

static void
make_rules(struct rules *r, const char *drop, const char *hash,
           const char *coarsen, const char *key)
{
    r->conf =
        (struct odks_job_conf){ .sync_type = "j",
                                .drop = make_list(&r->drop, drop),
                                .hash = make_list(&r->hash, hash),
                                .coarsen = make_list(&r->coarsen, coarsen),
                                .timezone = "UTC" };
    odks_privacy_new(&r->conf, key, &r->privacy);
}

static void
free_rules(struct rules *r)
{
    odks_privacy_free(r->privacy);
    free(r->drop.text);
    free(r->hash.text);
    free(r->coarsen.text);
}

/* The fields as form() reads them. */
static void
print_fields(const struct odks_field *field, struct odks_buf *text)
{
    static const char *const types[] = {
        [ODKS_FIELD_TEXT] = ":text",       [ODKS_FIELD_INT] = ":int",
        [ODKS_FIELD_DATE] = ":date",       [ODKS_FIELD_DATETIME] = ":dateTime",
        [ODKS_FIELD_DECIMAL] = ":decimal", [ODKS_FIELD_GEOPOINT] = ":point",
        [ODKS_FIELD_GROUP] = "{",          [ODKS_FIELD_REPEAT] = "[",
    };

    for (size_t i = 0; i < field->child_count; i++) {
        const struct odks_field *f = field->child[i];

        ck_assert(odks_buf_printf(text, "%s%s%s", i > 0 ? " " : "", f->name,
                                  types[f->type]));
        print_fields(f, text);
        if (f->type == ODKS_FIELD_GROUP || f->type == ODKS_FIELD_REPEAT)
            ck_assert(odks_buf_add_str(
                text, f->type == ODKS_FIELD_GROUP ? "}" : "]"));
    }
}

/* Rules, a form, what is left of the form; a row, what is left of the row. */
static const struct {
    const char *what;
    const char *drop, *hash, *coarsen;
    const char *form, *left;
    const char *row, *masked;
} masks[] = {
    { "drop by path", "/g/a", NULL, NULL, "a:text g{a:text b:text}",
      "a:text g{b:text}", "{'a':'x','g':{'a':'x','b':'y'},'__id':'1'}",
      "{'a':'x','g':{'b':'y'},'__id':'1'}" },
    { "drop by name, anywhere", "a", NULL, NULL,
      "a:text g{a:text} r[a:text b:int]", "g{} r[b:int]",
      "{'a':'x','g':{'a':'x'},'r':[{'a':'x','b':1,'__id':'2'}],'__id':'1'}",
      "{'g':{},'r':[{'b':1,'__id':'2'}],'__id':'1'}" },
    { "drop a repeat with its link", "r", NULL, NULL,
      "a:text r[b:int s[c:int]]", "a:text",
      "{'a':'x','r@odata.navigationLink':'l','r':[{'b':1}]}", "{'a':'x'}" },
    { "drop goes before a rule of the group", "/g/p", "/g", NULL,
      "g{a:text p:geopoint}", "g{a:text}",
      "{'g':{'a':'x','p':{'type':'Point'}}}", "{'g':{'a':'" OF_X "'}}" },
    { "what is dropped is gone whatever is said", "/g", "a", NULL,
      "a:text g{a:text}", "a:text", "{'a':'x','g':{'a':'x'}}",
      "{'a':'" OF_X "'}" },
    { "two spellings of one rule", "a, /a", NULL, NULL, "a:text b:text",
      "b:text", "{'a':'x','b':'y'}", "{'b':'y'}" },
    { "names as OData has them", "a_b, _1st, __", NULL, NULL,
      "a_b:text _1st:text __:text c:text", "c:text",
      "{'a_b':'x','_1st':'x','__':'x','c':'y'}", "{'c':'y'}" },
    { "names as Central has some, too", "__id, __Submissions_x", NULL, NULL,
      "g{__id:text a:text} r[__Submissions_x:text b:text]",
      "g{a:text} r[b:text]",
      "{'g':{'__id':'x','a':'y'},'r':[{'__id':'1','__Submissions-id':'2',"
      "'__Submissions_x':'x','b':'y'}],'__id':'2'}",
      "{'g':{'a':'y'},'r':[{'__id':'1','__Submissions-id':'2','b':'y'}],"
      "'__id':'2'}" },
    { "part of a name is no name", "on", NULL, NULL, "on:text phone:text",
      "phone:text", "{'on':'x','phone':'y'}", "{'phone':'y'}" },

    { "hash", NULL, "a", NULL, "a:text", "a:text", "{'a':'x'}",
      "{'a':'" OF_X "'}" },
    { "hash a number", NULL, "a", NULL, "a:int", "a:text", "{'a':42}",
      "{'a':'" OF_42 "'}" },
    { "hash digits that json-c would not keep", NULL, "a", NULL, "a:int",
      "a:text", "{'a':12345678901234567890e0}", "{'a':'" OF_LONG "'}" },
    { "hash a decimal as it came", NULL, "a", NULL, "a:decimal", "a:text",
      "{'a':1.50}", "{'a':'" OF_150 "'}" },
    { "hash a boolean", NULL, "a", NULL, "a:boolean", "a:text", "{'a':true}",
      "{'a':'" OF_TRUE "'}" },
    { "hash no text", NULL, "a", NULL, "a:text", "a:text", "{'a':''}",
      "{'a':'" OF_NOTHING "'}" },
    { "hash words as one", NULL, "a", NULL, "a:select_multiple", "a:text",
      "{'a':'a b'}", "{'a':'" OF_WORDS "'}" },
    { "hash null", NULL, "a", NULL, "a:text", "a:text", "{'a':null}",
      "{'a':null}" },
    { "hash what is no value", NULL, "a", NULL, "a:text", "a:text",
      "{'a':['x']}", "{'a':null}" },
    { "hash a group", NULL, "g", NULL, "g{a:text h{b:int}}",
      "g{a:text h{b:text}}", "{'g':{'a':'x','h':{'b':42}}}",
      "{'g':{'a':'" OF_X "','h':{'b':'" OF_42 "'}}}" },

    { "a point", NULL, NULL, "p 2", "p:geopoint", "p:point",
      "{'p':{'type':'Point','coordinates':[13.456,-0.004,320.5],"
      "'properties':{'accuracy':3.5,'x':'y'}}}",
      "{'p':{'type':'Point','coordinates':[13.46,0.00]}}" },
    { "a point to whole degrees", NULL, NULL, "p 0", "p:geopoint", "p:point",
      "{'p':{'type':'Point','coordinates':[-13,52.7]}}",
      "{'p':{'type':'Point','coordinates':[-13,53]}}" },
    { "no point", NULL, NULL, "p 2", "p:geopoint", "p:point",
      "{'p':{'type':'Point','coordinates':['13.456',1]}}", "{'p':null}" },
    { "a point of another kind", NULL, NULL, "p 2", "p:geopoint", "p:point",
      "{'p':'13.456 1.234 0 0'}", "{'p':null}" },
    { "a date to its month", NULL, NULL, "d month", "d:date", "d:date",
      "{'d':'2024-02-29'}", "{'d':'2024-02-01'}" },
    { "a date to its year", NULL, NULL, "d year", "d:date", "d:date",
      "{'d':' 1987-06-05 '}", "{'d':'1987-01-01'}" },
    { "no date", NULL, NULL, "d year", "d:date", "d:date", "{'d':'1987-02-30'}",
      "{'d':null}" },
    { "a time as date", NULL, NULL, "d year", "d:date", "d:date",
      "{'d':'1987-02-03T10:00'}", "{'d':null}" },
    { "a number as date", NULL, NULL, "d year", "d:date", "d:date",
      "{'d':1987}", "{'d':null}" },
    { "a time to its day", NULL, NULL, "t day", "t:dateTime", "t:dateTime",
      "{'t':'2026-03-01T01:30:00.000+02:00'}",
      "{'t':'2026-02-28T00:00:00.000Z'}" },
    { "a time without zone", NULL, NULL, "t month", "t:dateTime", "t:dateTime",
      "{'t':'2026-03-31T23:59:59'}", "{'t':'2026-03-01T00:00:00.000Z'}" },

    { "the system's values", "_submitter", "_device_id", NULL, "a:text",
      "a:text",
      "{'a':'x','z':1,'__system':{'submitterId':'5','submitterName':'n',"
      "'deviceId':'x','edits':0}}",
      "{'a':'x','z':1,'__system':{'deviceId':'" OF_X "','edits':0}}" },
    { "the number of the submitter, too", NULL, "_submitter", NULL, "a:text",
      "a:text", "{'__system':{'submitterId':'5','submitterName':'x'}}",
      "{'__system':{'submitterId':'" OF_5 "','submitterName':'" OF_X "'}}" },

    { "a question of the same name", "_submitter", NULL, NULL,
      "_submitter:text a:text", "_submitter:text a:text",
      "{'_submitter':'x','__system':{'submitterId':'5','submitterName':'n'}}",
      "{'_submitter':'x','__system':{}}" },
    { "a question of the same name by its path", "/_submitter", NULL, NULL,
      "_submitter:text a:text", "a:text",
      "{'_submitter':'x','__system':{'submitterName':'n'}}",
      "{'__system':{'submitterName':'n'}}" },
    { "in a repeat of a repeat", "/r/s/a", "/r/s/g", NULL,
      "r[a:text s[a:text b:text g{c:text}]]", "r[a:text s[b:text g{c:text}]]",
      "{'r':[{'a':'x','s':[{'a':'x','b':'y','g':{'c':'x'}}]}]}",
      "{'r':[{'a':'x','s':[{'b':'y','g':{'c':'" OF_X "'}}]}]}" },
    { "a key of a later version waits", "a", NULL, NULL, "a:text g{b:text}",
      "g{b:text}", "{'g':{'b':'y','new':'x'},'new':{'a':'x'},'__id':'1'}",
      "{'g':{'b':'y'},'__id':'1'}" },
    { "a group of a later version waits, too", "b", NULL, NULL,
      "a:text b:text g{a:text} r[a:text] p:geopoint",
      "a:text g{a:text} r[a:text] p:point",
      "{'a':{'b':'x'},'g':[{'b':'x'}],'r':[[{'b':'x'}]],'p':{'b':'x'}}",
      "{'a':null,'g':null,'r':[null],'p':null}" },
    { "a list of a later version waits, too", "b", NULL, NULL,
      "a:text b:text r[a:text] p:geopoint", "a:text r[a:text] p:point",
      "{'a':[{'b':'x'}],'r':{'b':'x'},'p':[{'coordinates':1}]}",
      "{'a':null,'r':null,'p':null}" },
    { "a place stays", "b", NULL, NULL, "b:text p:geopoint", "p:point",
      "{'p':{'type':'Point','coordinates':[1,2]}}",
      "{'p':{'type':'Point','coordinates':[1,2]}}" },
    { "no group where one should be", "/g/a", NULL, NULL, "g{a:text b:text}",
      "g{b:text}", "{'g':'x'}", "{'g':null}" },
    { "no list where one should be", "/r/a", NULL, NULL, "r[a:text b:text]",
      "r[b:text]", "{'r':{'a':'x'}}", "{'r':null}" },
    { "no row in a list", "/r/a", NULL, NULL, "r[a:text b:text]", "r[b:text]",
      "{'r':['x',{'a':'x','b':'y'}]}", "{'r':[null,{'b':'y'}]}" },
    { "where no rule is, all is as it was", "/a", NULL, NULL,
      "a:text g{b:text} c:decimal", "g{b:text} c:decimal",
      "{'g':'x','c':123456789012345678901e0}",
      "{'g':'x','c':123456789012345678901e0}" },
};

/* JSON with its quotes; the caller frees it. */
static char *
quoted(const char *text)
{
    char *json = odks_xstrdup(text);

    for (char *p = json; (p = strchr(p, '\'')) != NULL;)
        *p = '"';
    return json;
}

START_TEST(row_is_masked)
{
    struct rules r;
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_buf left = ODKS_BUF_INIT(1000);
    struct odks_field *fields = form(masks[_i].form);
    char *row = quoted(masks[_i].row), *expected = quoted(masks[_i].masked);

    make_rules(&r, masks[_i].drop, masks[_i].hash, masks[_i].coarsen, KEY);
    ck_assert_msg(odks_privacy_bind(r.privacy, fields, &err), "%s: %s",
                  masks[_i].what, err.message);
    print_fields(fields, &left);
    ck_assert_msg(strcmp(left.data, masks[_i].left) == 0, "%s: %s",
                  masks[_i].what, left.data);
    struct json_object *json = odks_json_read(row);
    odks_privacy_mask(r.privacy, json);
    const char *got = json_object_to_json_string_ext(
        json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    ck_assert_msg(strcmp(got, expected) == 0, "%s: %s", masks[_i].what, got);
    (void) json_object_put(json);
    odks_buf_free(&left);
    free_form(fields);
    free_rules(&r);
    free(row);
    free(expected);
}
END_TEST

/* Rules that do not fit the form: words of the message. */
static const struct {
    const char *drop, *hash, *coarsen;
    const char *form;
    const char *says;
} misfits[] = {
    { "a", "a", NULL, "a:text",
      "[job j]: \"drop a\" and \"hash a\" contradict each other at /a" },
    { "/a", NULL, "a month", "a:date", "contradict each other at /a" },
    { NULL, NULL, "a month, /a year", "a:date", "contradict each other at /a" },
    { NULL, "g", "/g/d month", "g{d:date}", "contradict each other at /g/d" },
    { "g", "g", NULL, "g{d:date}", "contradict each other at /g" },
    { NULL, "p", NULL, "p:geopoint",
      "\"hash p\" does not go with /p, which is of type geopoint" },
    { NULL, "g", NULL, "g{a:text s:geoshape}", "/g/s, which is of type" },
    { NULL, NULL, "a 3", "a:text", "\"coarsen a 3\" does not go with /a" },
    { NULL, NULL, "a month", "a:int", "does not go with /a" },
    { NULL, NULL, "a day", "a:date", "does not go with /a" },
    { NULL, NULL, "t month", "t:time", "does not go with /t" },
    { NULL, NULL, "p month", "p:geotrace", "does not go with /p" },
};

START_TEST(misfit_is_told)
{
    struct rules r;
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_field *fields = form(misfits[_i].form);

    make_rules(&r, misfits[_i].drop, misfits[_i].hash, misfits[_i].coarsen,
               KEY);
    ck_assert(!odks_privacy_bind(r.privacy, fields, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_CONFIG);
    ck_assert_msg(strstr(err.message, misfits[_i].says) != NULL, "%s",
                  err.message);
    ck_assert_str_ne(err.hint, "");
    free_form(fields);
    free_rules(&r);
}
END_TEST

/* Do rows that obey the text obey the rule? */
static const struct {
    const char *have;
    const char *drop, *hash, *coarsen;
    bool kept;
} earlier[] = {
    { "", "a", NULL, NULL, false },
    { "drop a", "a", NULL, NULL, true },
    { "drop a", NULL, "a", NULL, true },
    { "drop a", NULL, NULL, "a 3", true },
    { "drop b", "a", NULL, NULL, false },
    { "drop b, drop a, drop c", "a", NULL, NULL, true },
    { "drop /g", "/g/a", NULL, NULL, true },
    { "drop g", NULL, "/x/g/a", NULL, true },
    { "drop /g", "/ga", NULL, NULL, false },
    { "hash:0000 /g", "/g/a", NULL, NULL, false },
    { "year /g", NULL, NULL, "/g/a year", false },
    { "late-drop a", "a", NULL, NULL, false },
    { "drop /g", "a", NULL, NULL, false },
    { "drop /a", "a", NULL, NULL, false },
    { "hash:0000 a", NULL, "a", NULL, false },
    { "hash:0000 a", NULL, NULL, "a month", false },
    { "hash:0000 a", "a", NULL, NULL, false },
    { "year a", NULL, NULL, "a month", true },
    { "month a", NULL, NULL, "a month", true },
    { "month a", NULL, NULL, "a day", true },
    { "month a", NULL, NULL, "a year", false },
    { "month a", NULL, "a", NULL, false },
    { "3 a", NULL, NULL, "a 4", true },
    { "3 a", NULL, NULL, "a 3", true },
    { "3 a", NULL, NULL, "a 2", false },
    { "3 a", "a", NULL, NULL, false },
    { "drop _submitter", "_submitter", NULL, NULL, true },
    { "drop _device_id", "_submitter", NULL, NULL, false },
    { "what, is, this", "a", NULL, NULL, false },
};

START_TEST(earlier_rule_may_be_enough)
{
    struct rules r;

    make_rules(&r, earlier[_i].drop, earlier[_i].hash, earlier[_i].coarsen,
               KEY);
    ck_assert_msg(
        odks_rule_is_kept(r.privacy, r.privacy->rule, earlier[_i].have)
            == earlier[_i].kept,
        "%s: %s", earlier[_i].have, odks_privacy_rule(r.privacy, 0));
    free_rules(&r);
}
END_TEST

START_TEST(late_rules_are_marked)
{
    static const bool late[] = { false, true, false };
    struct rules r;

    make_rules(&r, "a, b, bb", NULL, NULL, NULL);
    char *text = odks_rules_text(r.privacy, late);
    ck_assert_str_eq(text, "drop a, late-drop b, drop bb");
    for (size_t i = 0; i < 3; i++) {
        const struct odks_rule *rule = &r.privacy->rule[i];

        ck_assert(odks_rule_is_late(r.privacy, rule, text) == late[i]);
        ck_assert(odks_rule_is_kept(r.privacy, rule, text) != late[i]);
    }
    ck_assert(!odks_rule_is_late(r.privacy, &r.privacy->rule[1],
                                 "late-drop bb, late-drop a"));
    free(text);
    free_rules(&r);
}
END_TEST

START_TEST(text_tells_rules_and_key_apart)
{
    struct rules a, b, c;

    make_rules(&a, "b, /g/a", "x, y", "p 3, d month", KEY);
    make_rules(&b, "/g/a, b", "y, x", "d month, p 3", KEY);
    make_rules(&c, "/g/a, b", "y, x", "d month, p 3", "another key of hash");
    ck_assert_str_eq(odks_privacy_text(a.privacy),
                     odks_privacy_text(b.privacy));
    ck_assert_str_ne(odks_privacy_text(a.privacy),
                     odks_privacy_text(c.privacy));
    ck_assert_ptr_null(strstr(odks_privacy_text(a.privacy), KEY));
    ck_assert(odks_rule_is_kept(a.privacy, &a.privacy->rule[4],
                                odks_privacy_text(b.privacy)));
    ck_assert_str_eq(odks_privacy_rule(a.privacy, 4), "hash x");
    ck_assert(!odks_rule_is_kept(a.privacy, &a.privacy->rule[4],
                                 odks_privacy_text(c.privacy)));
    free_rules(&a);
    free_rules(&b);
    free_rules(&c);
}
END_TEST

START_TEST(no_rules_are_none)
{
    struct rules r;
    struct odks_err err = ODKS_ERR_INIT;

    make_rules(&r, NULL, NULL, NULL, NULL);
    ck_assert_ptr_null(r.privacy);
    ck_assert_str_eq(odks_privacy_text(NULL), "");
    ck_assert_uint_eq(odks_privacy_count(NULL), 0);
    ck_assert(odks_privacy_bind(NULL, NULL, &err));
    odks_privacy_mask(NULL, NULL);
    free_rules(&r);
}
END_TEST

START_TEST(dropped_repeats_are_found)
{
    struct rules r;
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_field *fields =
        form("r[a:text] re[a:text s[b:text]] g{t[c:int]}");

    make_rules(&r, "/r, /re/s, /g", NULL, NULL, NULL);
    ck_assert(odks_privacy_bind(r.privacy, fields, &err));
    ck_assert(odks_privacy_drops_repeat(r.privacy, "Submissions.r"));
    ck_assert(!odks_privacy_drops_repeat(r.privacy, "Submissions.re"));
    ck_assert(odks_privacy_drops_repeat(r.privacy, "Submissions.re.s"));
    ck_assert(odks_privacy_drops_repeat(r.privacy, "Submissions.g.t"));
    ck_assert(!odks_privacy_drops_repeat(r.privacy, "Submissions"));
    ck_assert(!odks_privacy_drops_repeat(r.privacy, "Submissions.other"));
    free_form(fields);
    free_rules(&r);
}
END_TEST

START_TEST(questions_are_listed)
{
    struct rules r;
    struct odks_err err = ODKS_ERR_INIT;
    struct odks_field *fields = form("a:text g{a:text phone:text}");
    const char *meant;

    make_rules(&r, "a, fone, _submitter, /g/phon, zzz", NULL, NULL, NULL);
    ck_assert(odks_privacy_bind(r.privacy, fields, &err));
    static const struct {
        const char *rule, *questions, *meant;
    } expected[] = {
        { "drop /g/phon", NULL, "/g/phone" },
        { "drop _submitter", "__system/submitterName", NULL },
        { "drop a", "/a, /g/a", NULL },
        { "drop fone", NULL, "phone" },
        { "drop zzz", NULL, NULL },
    };
    for (size_t i = 0; i < 5; i++) {
        char *questions = odks_privacy_questions(r.privacy, i, &meant);

        ck_assert_str_eq(odks_privacy_rule(r.privacy, i), expected[i].rule);
        ck_assert_pstr_eq(questions, expected[i].questions);
        ck_assert_pstr_eq(meant, expected[i].meant);
        free(questions);
    }
    free_form(fields);
    free_rules(&r);
}
END_TEST

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static Suite *
suite(void)
{
    Suite *s = suite_create("table_privacy");
    TCase *tc = tcase_create("privacy");

    tcase_add_loop_test(tc, row_is_masked, 0, COUNT(masks));
    tcase_add_loop_test(tc, misfit_is_told, 0, COUNT(misfits));
    tcase_add_loop_test(tc, earlier_rule_may_be_enough, 0, COUNT(earlier));
    tcase_add_test(tc, late_rules_are_marked);
    tcase_add_test(tc, text_tells_rules_and_key_apart);
    tcase_add_test(tc, no_rules_are_none);
    tcase_add_test(tc, dropped_repeats_are_found);
    tcase_add_test(tc, questions_are_listed);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
