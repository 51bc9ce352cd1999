/* tests/contract/gen.c - SPDX-License-Identifier: Apache-2.0 */
/* Pseudo-random data for any form: equal seeds give equal data. */
#include <config.h>

#include <string.h>

#include "standin.h"

static void
point(struct sc_buf *out, uint64_t r)
{
    sc_buf_fmt(out, "[%s%u.%u,%s%u.%u", (r & 1) != 0 ? "-" : "",
               (unsigned) (r >> 1) % 180, (unsigned) (r >> 10) % 99999 * 10 + 1,
               (r & 2) != 0 ? "-" : "", (unsigned) (r >> 30) % 90,
               (unsigned) (r >> 38) % 99999 * 10 + 1);
    if ((r >> 60 & 3) != 0)
        sc_buf_fmt(out, ",%u.%u", (unsigned) (r >> 50) % 900,
                   1 + (unsigned) (r >> 55) % 9);
    sc_buf_str(out, "]");
}

static void
shape(struct sc_buf *out, enum sc_type type, uint64_t r)
{
    unsigned n = 2 + (unsigned) (r & 3);

    if (type == SC_GEOPOINT) {
        sc_buf_str(out, "{\"type\":\"Point\",\"coordinates\":");
        point(out, r);
        if ((r >> 62 & 1) != 0)
            sc_buf_fmt(out, ",\"properties\":{\"accuracy\":%u.%u}",
                       (unsigned) (r >> 5) % 30, 1 + (unsigned) (r >> 12) % 9);
        sc_buf_str(out, "}");
        return;
    }
    sc_buf_str(out, type == SC_GEOTRACE
                        ? "{\"type\":\"LineString\",\"coordinates\":["
                        : "{\"type\":\"Polygon\",\"coordinates\":[[");
    for (unsigned i = 0; i <= n; i++) {
        /* A ring ends where it began. */
        bool close = type == SC_GEOSHAPE && i == n;

        if (i > 0)
            sc_buf_str(out, ",");
        point(out, sc_mix(r + (close ? 0 : i)));
    }
    sc_buf_str(out, type == SC_GEOTRACE ? "]" : "]]");
    sc_buf_str(out, ",\"properties\":{\"accuracies\":[");
    for (unsigned i = 0; i <= n; i++)
        sc_buf_fmt(out, "%s%s", i > 0 ? "," : "", i == 1 ? "null" : "4.5");
    sc_buf_str(out, "]}}");
}

static void
string(struct sc_buf *out, const struct sc_field *f, uint64_t r)
{
    static const char *const odd[] = {
        "tab\\tand \\\"quotes\\\" \\\\ back",
        "line\\r\\nbreak",
        "Žluťoučký kůň",
        "  spaces  ",
        "\\u0007bell",
        "comma, 'quote'; {}\\\\N",
        "\xf0\x9f\x90\x8e horse",
        "<b>&amp;</b>",
    };

    if (f->multiple)
        sc_buf_fmt(out, "\"%s\"", (r & 1) != 0 ? "a c" : "b");
    else if ((r >> 8 & 7) == 0)
        sc_buf_fmt(out, "\"%s\"", odd[r >> 20 & 7]);
    else
        sc_buf_fmt(out, "\"%s %u\"", f->name, (unsigned) (r >> 32));
}

static void
leaf(struct sc_buf *out, const struct sc_field *f, uint64_t r)
{
    unsigned a = (unsigned) (r >> 8), b = (unsigned) (r >> 40);

    if ((r & 7) == 0) {
        sc_buf_str(out, "null");
        return;
    }
    switch (f->type) {
    case SC_INT:
        sc_buf_fmt(out, "%d", (int) (a % 2000001) - 1000000);
        break;
    case SC_DECIMAL:
        sc_buf_fmt(out, "%s%u.%u", (b & 1) != 0 ? "-" : "", a % 10000,
                   b % 999 * 10 + 1);
        break;
    case SC_BOOLEAN:
        sc_buf_str(out, (b & 1) != 0 ? "\"true\"" : "\"false\"");
        break;
    case SC_DATE:
        sc_buf_fmt(out, "\"20%02u-%02u-%02u\"", 10 + a % 16, 1 + b % 12,
                   1 + b % 28);
        break;
    case SC_TIME:
        sc_buf_fmt(out, "\"%02u:%02u:%02u.%03u+02:00\"", a % 24, b % 60, a % 60,
                   b % 1000);
        break;
    case SC_DATETIME:
        sc_buf_fmt(out, "\"20%02u-%02u-%02uT%02u:%02u:%02u.%03u%s\"",
                   10 + a % 16, 1 + b % 12, 1 + a % 28, b % 24, a % 60, b % 60,
                   a % 1000, (b & 1) != 0 ? "+01:00" : "-05:30");
        break;
    case SC_GEOPOINT:
    case SC_GEOTRACE:
    case SC_GEOSHAPE:
        shape(out, f->type, sc_mix(r));
        break;
    case SC_BARCODE:
        sc_buf_fmt(out, "\"%010u\"", b);
        break;
    case SC_BINARY:
        sc_buf_fmt(out, "\"%u.jpg\"", a);
        break;
    case SC_UNKNOWN:
        sc_buf_str(out, "null");
        break;
    default:
        string(out, f, r);
        break;
    }
}

static void
object(struct sc_buf *out, const struct sc_field *f, uint64_t seed)
{
    bool first = true;

    sc_buf_str(out, "{");
    for (size_t i = 0; i < f->nkids; i++) {
        const struct sc_field *k = f->kids[i];
        uint64_t r = sc_mix(seed ^ (k->index * 0x9e3779b1ULL));

        if (k->parent->parent == NULL && strcmp(k->name, "meta") == 0)
            continue;
        sc_buf_fmt(out, "%s\"%s\":", first ? "" : ",", k->name);
        first = false;
        if (k->type == SC_STRUCTURE) {
            object(out, k, r);
        } else if (k->type == SC_REPEAT) {
            sc_buf_str(out, "[");
            for (unsigned n = (unsigned) (r & 3), j = 0; j < n; j++) {
                sc_buf_str(out, j > 0 ? "," : "");
                object(out, k, sc_mix(r + j));
            }
            sc_buf_str(out, "]");
        } else {
            leaf(out, k, r);
        }
    }
    sc_buf_str(out, "}");
}

void
sc_gen_text(const struct sc_version *v, uint64_t seed, struct sc_buf *out)
{
    object(out, v->root, sc_mix(seed));
}
