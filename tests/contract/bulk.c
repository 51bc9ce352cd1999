/* tests/contract/bulk.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * The bulk form: any number of submissions that exist only while they are
 * sent.  All of row i follows from i, so this printer is the one source of
 * its content and has to be fast: it is what a benchmark waits for.
 */
#include <config.h>

#include <string.h>

#include "standin.h"

#define LIT(p, s) (memcpy(p, s, sizeof(s) - 1), (p) + sizeof(s) - 1)

enum { ROW_MAX = 3072, REPEATS = 3 };

static char *
num(char *p, uint64_t v)
{
    char t[20];
    int n = 0;

    do
        t[n++] = (char) ('0' + v % 10);
    while ((v /= 10) > 0);
    while (n > 0)
        *p++ = t[--n];
    return p;
}

static char *
padded(char *p, uint64_t v, int width)
{
    for (int i = width; i-- > 0; v /= 10)
        p[i] = (char) ('0' + v % 10);
    return p + width;
}

static char *
word(char *p, const char *s)
{
    size_t n = strlen(s);

    memcpy(p, s, n);
    return p + n;
}

int64_t
sc_bulk_created(const struct sc_form *f, uint64_t i)
{
    return f->bulk_first + (int64_t) i * f->bulk_step;
}

void
sc_bulk_id(uint64_t i, char out[42])
{
    sc_uuid(i + 0xb01d, i, out);
}

bool
sc_bulk_index(const struct sc_form *f, const char *id, uint64_t *i)
{
    char check[42];
    uint64_t v = 0;

    if (f->bulk_n == 0 || strlen(id) != 41)
        return false;
    for (int k = 29; k < 41; k++) {
        const char *at = strchr("0123456789abcdef", id[k]);

        if (at == NULL)
            return false;
        v = v << 4 | (uint64_t) (at - "0123456789abcdef");
    }
    if (v >= f->bulk_n)
        return false;
    sc_bulk_id(v, check);
    *i = v;
    return strcmp(check, id) == 0;
}

bool
sc_bulk_live(const struct sc_form *f, uint64_t i)
{
    return f->bulk_gone == NULL || !(f->bulk_gone[i / 8] >> (i % 8) & 1);
}

static char *
fields(char *p, const struct sc_form *f, uint64_t i, uint64_t r)
{
    static const char *const district[] = { "Northern", "Southern", "Eastern",
                                            "Western", "Central" };
    static const char *const assets[] = { "a b", "b",         "a c d", "e",
                                          "c e", "a b c d e", "d",     "b d" };
    static const char *const water[] = { "piped", "well", "river", "rain" };
    char day[25];

    sc_time_text(sc_bulk_created(f, i) - 3600000, day);
    p = LIT(p, "\"enum\":\"ENUM");
    p = padded(p, r % 200, 3);
    p = LIT(p, "\",\"interview_date\":\"");
    memcpy(p, day, 10);
    p += 10;
    p = LIT(p, "\",\"start\":\"");
    memcpy(p, day, 23);
    p += 23;
    p = LIT(p, "+00:00\",\"end\":\"");
    memcpy(p, day, 14);
    p = padded(p + 14, (r >> 8) % 60, 2);
    p = LIT(p, ":59.999+02:00\",\"district\":\"");
    p = word(p, district[(r >> 14) % 5]);
    p = LIT(p, "\",\"village\":\"Village ");
    p = num(p, (r >> 17) % 5000);
    p = LIT(p, "\",\"gps\":{\"type\":\"Point\",\"coordinates\":[3");
    p = padded(p, 1 + (r >> 30) % 4, 1);
    p = LIT(p, ".");
    p = padded(p, (r >> 20) % 1000000, 6);
    p = LIT(p, "1,-1");
    p = padded(p, (r >> 33) % 10, 1);
    p = LIT(p, ".");
    p = padded(p, (r >> 36) % 1000000, 6);
    p = LIT(p, "7,");
    p = num(p, 400 + (r >> 40) % 900);
    p = LIT(p, "],\"properties\":{\"accuracy\":4.");
    p = num(p, 1 + (r >> 44) % 9);
    p = LIT(p, "}},\"hh_size\":");
    p = num(p, 1 + (r >> 47) % 12);
    p = LIT(p, ",\"income\":");
    p = num(p, (r >> 28) % 100000);
    p = LIT(p, ".");
    p = padded(p, 1 + (r >> 50) % 9, 1);
    p = LIT(p, ",\"assets\":\"");
    p = word(p, assets[(r >> 51) % 8]);
    p = LIT(p, "\",\"water\":\"");
    p = word(p, water[(r >> 54) % 4]);
    p = LIT(p, "\",\"phone\":\"+26588");
    p = padded(p, (r >> 9) % 10000000, 7);
    p = LIT(p, "\",\"score\":");
    return num(p, (r >> 56) % 101);
}

static char *
remarks(char *p, uint64_t i, uint64_t r)
{
    p = LIT(p, ",\"consent\":\"yes\",\"remarks\":");
    if ((r >> 60) % 4 == 0) {
        p = LIT(p, "\"Visited twice; head of household said \\\"come "
                   "back\\\"\\nč. ");
        p = num(p, i);
        return LIT(p, "\"");
    }
    return LIT(p, "null");
}

static char *
persons(char *p, const char *id, uint64_t r)
{
    char src[96] = "Submissions#";
    char sha[41];

    memcpy(src + 12, id, 41);
    memcpy(src + 53, "%%person_details#", 17);
    p = LIT(p, ",\"person_details\":[");
    for (unsigned k = 0; k < REPEATS; k++) {
        uint64_t q = sc_mix(r + k);

        p = LIT(p, "{\"p_name\":\"Person ");
        p = num(p, q % 100000);
        p = LIT(p, "\",\"age\":");
        p = num(p, (q >> 20) % 95);
        p = LIT(p, ",\"sex\":\"");
        *p++ = (q >> 30 & 1) != 0 ? 'f' : 'm';
        p = LIT(p, "\",\"school\":");
        p = (q >> 31 & 3) == 0 ? LIT(p, "null") : LIT(p, "\"primary\"");
        src[70] = (char) ('0' + k);
        sc_sha1_hex(src, 71, sha);
        p = LIT(p, ",\"__id\":\"");
        memcpy(p, sha, 40);
        p += 40;
        p = k + 1 < REPEATS ? LIT(p, "\"},") : LIT(p, "\"}");
    }
    return LIT(p, "]");
}

void
sc_bulk_row(const struct sc_form *f, uint64_t i, bool expand,
            struct sc_buf *out)
{
    uint64_t r = sc_mix(i * 0x51ed27f1 + 7);
    char id[42], day[25];

    sc_buf_reserve(out, ROW_MAX);
    char *p = out->p + out->len;
    sc_bulk_id(i, id);
    p = LIT(p, "{");
    p = fields(p, f, i, r);
    p = remarks(p, i, r);
    p = LIT(p, ",\"meta\":{\"instanceID\":\"");
    memcpy(p, id, 41);
    p = LIT(p + 41, "\",\"instanceName\":null},\"__id\":\"");
    memcpy(p, id, 41);
    p = LIT(p + 41, "\",\"__system\":{\"submissionDate\":\"");
    sc_time_text(sc_bulk_created(f, i), day);
    memcpy(p, day, 24);
    p = LIT(p + 24,
            "\",\"updatedAt\":null,\"submitterId\":\"5\",\"submitterName\":"
            "\"admin@example.org\",\"attachmentsPresent\":0,"
            "\"attachmentsExpected\":0,\"status\":null,\"reviewState\":null,"
            "\"deviceId\":null,\"edits\":0,\"formVersion\":\"1\","
            "\"deletedAt\":null},\"person_details@odata.navigationLink\":"
            "\"Submissions('uuid%3A");
    memcpy(p, id + 5, 36);
    p = LIT(p + 36, "')/person_details\"");
    if (expand)
        p = persons(p, id, r);
    p = LIT(p, "}");
    out->len = (size_t) (p - out->p);
    out->p[out->len] = '\0';
}

/* A real submission in the place of a bulk row, so that it can change. */
struct sc_sub *
sc_bulk_detach(struct sc_server *s, struct sc_form *f, uint64_t i)
{
    struct sc_sub *sub = sc_alloc(sizeof(*sub));
    char id[42];

    if (f->bulk_gone == NULL)
        f->bulk_gone = sc_alloc(f->bulk_n / 8 + 1);
    f->bulk_gone[i / 8] |= (unsigned char) (1U << (i % 8));
    f->bulk_ngone++;
    sc_bulk_id(i, id);
    sub->cur = sc_item_open(f, (sc_item) (i << 1 | 1));
    sub->bulk = (int64_t) i;
    sc_sub_add(f, sub, id);
    (void) s;
    return sub;
}
