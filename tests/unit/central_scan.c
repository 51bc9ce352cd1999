/* tests/unit/central_scan.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "central/scan.h"

#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "unit.h"

enum { MAX_ROW = 4096 };

#define FOOTER ",\"@odata.context\":\"https://a.org/$metadata#Submissions\"}"
#define DOC(rows) "{\"value\":[" rows "]" FOOTER

/* Every kind of thing that a document may hold. */
static const char sample[] =
    " {\"value\": [ {\"a\":\"x\\\"]}\\\\\",\"b\":[1,-2.5e3,{\"c\":null}],"
    "\"d\":\"\\u0000\\ud83d\\ude00\\ud800 \\udc00\"},\n"
    "{} , {\"n\":12345678901234567890,\"\xc5\xbe\":\"\xf0\x9f\x98\x80\"}]"
    ", \"@odata.context\" : \"https://a.org/\\\"$x\" , \"z\":[{}] } \n";
static const char sample_rows[] =
    "{\"a\":\"x\\\"]}\\\\\",\"b\":[1,-2.5e3,{\"c\":null}],"
    "\"d\":\"\\ufffd\\ud83d\\ude00\\ufffd \\ufffd\"}\n"
    "{}\n"
    "{\"n\":12345678901234567890e0,\"\xc5\xbe\":\"\xf0\x9f\x98\x80\"}\n";

/* Scan one piece; its rows, a line each, go to out. */
static bool
feed(struct odks_scan *scan, const char *data, size_t len, struct odks_buf *out,
     struct odks_err *err)
{
    bool complete;

    while (len > 0) {
        if (!odks_scan_feed(scan, &data, &len, &complete, err))
            return false;
        if (complete) {
            ck_assert_uint_eq(strlen(scan->row.data), scan->row.len);
            ck_assert(odks_buf_add(out, scan->row.data, scan->row.len));
            ck_assert(odks_buf_add_char(out, '\n'));
        }
    }
    return true;
}

/* Scan text in pieces of step bytes, the first of them first bytes long. */
static bool
scan_text(const char *text, size_t len, size_t first, size_t step,
          struct odks_buf *out, struct odks_err *err)
{
    struct odks_scan scan;
    bool ok = true;

    odks_scan_init(&scan, MAX_ROW);
    for (size_t at = 0, n = first; ok && at < len; at += n, n = step) {
        if (n > len - at)
            n = len - at;
        /* a copy, so that reading beyond the piece is noticed */
        char *piece = malloc(n > 0 ? n : 1);
        memcpy(piece, text + at, n);
        ok = feed(&scan, piece, n, out, err);
        free(piece);
    }
    ok = ok && odks_scan_end(&scan, err);
    odks_scan_free(&scan);
    return ok;
}

static const struct {
    const char *text;
    const char *rows; /* NULL: refused */
} texts[] = {
    { DOC(""), "" },
    { DOC("{}"), "{}\n" },
    { DOC("{\"a\":[]},{\"b\":{}}"), "{\"a\":[]}\n{\"b\":{}}\n" },
    { "{\"@odata.context\":\"x\",\"value\":[{}]}", "{}\n" },
    { "{\"a\":{\"value\":[1]},\"value\":[{}]" FOOTER, "{}\n" },
    { "{\"x\":\"\\\"value\\\":[\",\"value\":[{}]" FOOTER, "{}\n" },
    { "{\"x\\\"value\":[1],\"value\":[{}]" FOOTER, "{}\n" },
    { DOC("{}") " \r\n\t", "{}\n" },
    { "{ \"value\" : [ {} ] " FOOTER, "{}\n" },
    { DOC("{}]"), NULL },
    { DOC("{}}"), NULL },
    { sample, sample_rows },
    /* numbers */
    { DOC("{\"a\":999999999999999999}"), "{\"a\":999999999999999999}\n" },
    { DOC("{\"a\":9223372036854775807}"), "{\"a\":9223372036854775807e0}\n" },
    { DOC("{\"a\":-9223372036854775809}"), "{\"a\":-9223372036854775809e0}\n" },
    { DOC("{\"a\":123456789012345678901}"),
      "{\"a\":123456789012345678901e0}\n" },
    { DOC("[1234567890123456789]"), NULL },
    { DOC("{\"a\":[1234567890123456789,1]}"),
      "{\"a\":[1234567890123456789e0,1]}\n" },
    { DOC("{\"a\":1234567890123456789 }"), "{\"a\":1234567890123456789e0 }\n" },
    { DOC("{\"a\":1.2345678901234567890}"), "{\"a\":1.2345678901234567890}\n" },
    { DOC("{\"a\":1234567890123456789.5}"), "{\"a\":1234567890123456789.5}\n" },
    { DOC("{\"a\":1.2345678901234568e+29}"),
      "{\"a\":1.2345678901234568e+29}\n" },
    { DOC("{\"a\":1E19,\"b\":1e-7}"), "{\"a\":1E19,\"b\":1e-7}\n" },
    { DOC("{\"a\":\"12345678901234567890\"}"),
      "{\"a\":\"12345678901234567890\"}\n" },
    { DOC("{\"12345678901234567890\":true}"),
      "{\"12345678901234567890\":true}\n" },
    /* escapes */
    { DOC("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}"),
      "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}\n" },
    { DOC("{\"a\":\"\\u0007\\u00E9\"}"), "{\"a\":\"\\u0007\\u00E9\"}\n" },
    { DOC("{\"a\\u0000\":1}"), "{\"a\\ufffd\":1}\n" },
    { DOC("{\"a\":\"\\\\u0000\"}"), "{\"a\":\"\\\\u0000\"}\n" },
    { DOC("{\"a\":\"\\uD83D\\uDE00\"}"), "{\"a\":\"\\uD83D\\uDE00\"}\n" },
    { DOC("{\"a\":\"\\ud83d\"}"), "{\"a\":\"\\ufffd\"}\n" },
    { DOC("{\"a\":\"\\ud83dx\"}"), "{\"a\":\"\\ufffdx\"}\n" },
    { DOC("{\"a\":\"\\ud83d\\n\"}"), "{\"a\":\"\\ufffd\\n\"}\n" },
    { DOC("{\"a\":\"\\ud83d\\u0041\"}"), "{\"a\":\"\\ufffd\\u0041\"}\n" },
    { DOC("{\"a\":\"\\ud83d\\u0000\"}"), "{\"a\":\"\\ufffd\\ufffd\"}\n" },
    { DOC("{\"a\":\"\\ud83d\\ud83d\\ude00\"}"),
      "{\"a\":\"\\ufffd\\ud83d\\ude00\"}\n" },
    { DOC("{\"a\":\"\\ude00\\ud83d\"}"), "{\"a\":\"\\ufffd\\ufffd\"}\n" },
    { DOC("{\"a\":\"\\u12G4\"}"), NULL },
    { DOC("{\"a\":\"\\u12\"}"), NULL },
    { DOC("{\"a\":\"\\x\"}"), NULL },
    /* characters */
    { DOC("{\"a\":\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf"
          "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"}"),
      "{\"a\":\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf"
      "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"}\n" },
    { DOC("{\"a\":\"\x80\"}"), NULL },
    { DOC("{\"a\":\"x\x80\"}"), NULL },
    { DOC("{\"a\":\"\xc0\x80\"}"), NULL },
    { DOC("{\"a\":\"\xc2\"}"), NULL },
    { DOC("{\"a\":\"\xc2\xc2\"}"), NULL },
    { DOC("{\"a\":\"\xe0\x9f\xbf\"}"), NULL },
    { DOC("{\"a\":\"\xed\xa0\x80\"}"), NULL },
    { DOC("{\"a\":\"\xf0\x8f\xbf\xbf\"}"), NULL },
    { DOC("{\"a\":\"\xf4\x90\x80\x80\"}"), NULL },
    { DOC("{\"a\":\"\xf5\x80\x80\x80\"}"), NULL },
    { DOC("{\"a\":\"\xe2\x82\\n\"}"), NULL },
    { DOC("{\"a\":\"\n\"}"), NULL },
    { DOC("{\"a\":\x01}"), NULL },
    { DOC("{\"a\":\xc2\xa0}"), NULL },
    /* structure */
    { DOC("{\"a\":[}]}"), NULL },
    { DOC("{\"a\":[1}"), NULL },
    { DOC("{\"a\":1]"), NULL },
    { DOC("{},"), NULL },
    { DOC(",{}"), NULL },
    { DOC("{},,{}"), NULL },
    { DOC("{}{}"), NULL },
    { DOC("1"), NULL },
    { DOC("null"), NULL },
    { DOC("[]"), NULL },
    { DOC("\"a\""), NULL },
    { DOC("{}") "}", NULL },
    { DOC("{}") "x", NULL },
    { DOC("") DOC(""), NULL },
    { "{\"value\":[],\"value\":[]" FOOTER, NULL },
    { "{\"value\":[]]" FOOTER, NULL },
    { "{\"value\":[]}}", NULL },
    { "{\"value\":null" FOOTER, NULL },
    { "{\"message\":\"x\",\"code\":404.1}", NULL },
    { "{}", NULL },
    { "[]", NULL },
    { "[{\"value\":[{}]}]", NULL },
    { "\xef\xbb\xbf" DOC(""), NULL },
    { "<html>", NULL },
    { "\"value\"", NULL },
};

START_TEST(text_in_pieces_of_any_size)
{
    const char *text = texts[_i].text;
    const char *rows = texts[_i].rows;
    size_t len = strlen(text);

    for (size_t step = 1; step <= len; step++) {
        struct odks_err err = ODKS_ERR_INIT;
        CLEANUP_BUF struct odks_buf out = ODKS_BUF_INIT(MAX_ROW);
        bool ok = scan_text(text, len, step, step, &out, &err);

        ck_assert_msg(ok == (rows != NULL), "%s in steps of %zu: %s", text,
                      step, err.message);
        if (ok)
            ck_assert_str_eq(out.len > 0 ? out.data : "", rows);
        else
            ck_assert_int_eq(err.code, ODKS_EXIT_DATA);
    }
}
END_TEST

START_TEST(text_split_anywhere)
{
    size_t len = sizeof(sample) - 1;

    for (size_t first = 0; first <= len; first++) {
        struct odks_err err = ODKS_ERR_INIT;
        CLEANUP_BUF struct odks_buf out = ODKS_BUF_INIT(MAX_ROW);

        ck_assert_msg(scan_text(sample, len, first, len, &out, &err), "%s",
                      err.message);
        ck_assert_str_eq(out.data, sample_rows);
    }
}
END_TEST

START_TEST(text_cut_anywhere_is_cut_short)
{
    size_t end = (size_t) (strrchr(sample, '}') - sample);

    for (size_t len = 0; len <= end; len++) {
        struct odks_err err = ODKS_ERR_INIT;
        CLEANUP_BUF struct odks_buf out = ODKS_BUF_INIT(MAX_ROW);

        ck_assert_msg(!scan_text(sample, len, 7, 7, &out, &err), "%zu", len);
        ck_assert_msg(err.code == ODKS_EXIT_UNAVAILABLE, "%zu: %s", len,
                      err.message);
    }
}
END_TEST

START_TEST(nul_byte)
{
    static const char in_text[] = "{\"value\":[{\"a\":\"x\0y\"}]}";
    static const char in_row[] = "{\"value\":[{\"a\":\0 1}]}";
    static const char in_escape[] = "{\"value\":[{\"a\":\"\\\0\"}]}";
    static const char in_hex[] = "{\"value\":[{\"a\":\"\\u12\0\"}]}";
    static const char behind[] = "{\"value\":[]}\0";
    static const struct {
        const char *text;
        size_t len;
    } all[] = {
        { in_text, sizeof(in_text) - 1 },     { in_row, sizeof(in_row) - 1 },
        { in_escape, sizeof(in_escape) - 1 }, { in_hex, sizeof(in_hex) - 1 },
        { behind, sizeof(behind) - 1 },
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct odks_err err = ODKS_ERR_INIT;
        CLEANUP_BUF struct odks_buf out = ODKS_BUF_INIT(MAX_ROW);

        ck_assert_msg(!scan_text(all[i].text, all[i].len, 1, 1000, &out, &err),
                      "%zu", i);
        ck_assert_int_eq(err.code, ODKS_EXIT_DATA);
    }
}
END_TEST

static bool
scan_nested(int depth)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(MAX_ROW);
    CLEANUP_BUF struct odks_buf out = ODKS_BUF_INIT(MAX_ROW);

    ck_assert(odks_buf_add_str(&b, "{\"value\":[{\"a\":"));
    for (int i = 1; i < depth; i++)
        ck_assert(odks_buf_add_char(&b, '['));
    for (int i = 1; i < depth; i++)
        ck_assert(odks_buf_add_char(&b, ']'));
    ck_assert(odks_buf_add_str(&b, "}]" FOOTER));
    bool ok = scan_text(b.data, b.len, b.len, 1, &out, &err);
    if (!ok)
        ck_assert_int_eq(err.code, ODKS_EXIT_DATA);
    return ok;
}

START_TEST(depth_is_limited)
{
    ck_assert(scan_nested(64));
    ck_assert(!scan_nested(65));
    ck_assert(!scan_nested(1000));
}
END_TEST

/* A row of exactly len bytes, and what becomes of it. */
static bool
scan_row_of(size_t len, struct odks_err *err)
{
    CLEANUP_BUF struct odks_buf b = ODKS_BUF_INIT(3 * MAX_ROW);
    CLEANUP_BUF struct odks_buf out = ODKS_BUF_INIT(3 * MAX_ROW);

    ck_assert(odks_buf_add_str(&b, "{\"value\":[{},{\"a\":\""));
    for (size_t i = strlen("{\"a\":\"\"}"); i < len; i++)
        ck_assert(odks_buf_add_char(&b, 'x'));
    ck_assert(odks_buf_add_str(&b, "\"}]" FOOTER));
    return scan_text(b.data, b.len, 100, 100, &out, err);
}

START_TEST(row_is_limited)
{
    struct odks_err err = ODKS_ERR_INIT;

    ck_assert(scan_row_of(MAX_ROW, &err));
    ck_assert(!scan_row_of(MAX_ROW + 1, &err));
    ck_assert_int_eq(err.code, ODKS_EXIT_DATA);
    ck_assert_ptr_nonnull(strstr(err.message, "submission 2"));
    ck_assert_ptr_nonnull(strstr(err.hint, "max_row_bytes"));
}
END_TEST

START_TEST(envelope_is_kept_and_limited)
{
    struct odks_err err = ODKS_ERR_INIT;
    CLEANUP_BUF struct odks_buf out = ODKS_BUF_INIT(MAX_ROW);
    struct odks_scan scan;
    static const char doc[] = "{\"x\":1,\"value\":[{\"a\":1},{}],\"y\":\"]\"}";

    odks_scan_init(&scan, MAX_ROW);
    ck_assert(feed(&scan, doc, sizeof(doc) - 1, &out, &err));
    ck_assert(odks_scan_end(&scan, &err));
    ck_assert_str_eq(scan.envelope.data, "{\"x\":1,\"value\":[],\"y\":\"]\"}");
    ck_assert_int_eq(scan.rows, 2);

    odks_scan_again(&scan);
    ck_assert(!odks_scan_end(&scan, &err));
    ck_assert(feed(&scan, doc, sizeof(doc) - 1, &out, &err));
    ck_assert(odks_scan_end(&scan, &err));
    ck_assert_int_eq(scan.rows, 4);

    odks_scan_again(&scan);
    ck_assert(feed(&scan, "{\"x\":\"", 6, &out, &err));
    size_t n = 0;
    while (n < 100 * 1024 && feed(&scan, "yyyyyyyy", 8, &out, &err))
        n += 8;
    ck_assert_uint_lt(n, 100 * 1024);
    ck_assert_int_eq(err.code, ODKS_EXIT_DATA);
    odks_scan_free(&scan);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("central_scan");
    TCase *tc = tcase_create("scan");

    tcase_add_loop_test(tc, text_in_pieces_of_any_size, 0,
                        sizeof(texts) / sizeof(texts[0]));
    tcase_add_test(tc, text_split_anywhere);
    tcase_add_test(tc, text_cut_anywhere_is_cut_short);
    tcase_add_test(tc, nul_byte);
    tcase_add_test(tc, depth_is_limited);
    tcase_add_test(tc, row_is_limited);
    tcase_add_test(tc, envelope_is_kept_and_limited);
    suite_add_tcase(s, tc);
    return s;
}

ODKS_UNIT_MAIN(suite)
