/* tests/contract/xform.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * The XForm of a form: as it was published, or made from its fields as a form
 * builder does it. Labels are names, and selects offer a to e.
 */
#include <config.h>

#include <ctype.h>
#include <string.h>

#include "instance.h"
#include "standin.h"

void
sc_xml_text(struct sc_buf *out, const char *s)
{
    for (; *s != '\0'; s++) {
        if (*s == '<')
            sc_buf_str(out, "&lt;");
        else if (*s == '&')
            sc_buf_str(out, "&amp;");
        else if (*s == '"')
            sc_buf_str(out, "&quot;");
        else
            sc_buf_put(out, s, 1);
    }
}

/* Some names of the tests could not stand in XML. */
const char *
sc_element(const struct sc_field *f)
{
    const unsigned char *c = (const unsigned char *) f->raw;
    bool good = *c == '_' || *c >= 0x80 || isalpha(*c);

    for (; *c != '\0'; c++)
        good = good && (*c >= 0x80 || isalnum(*c) || strchr("_-.", *c));
    return good ? f->raw : f->name;
}

static void
instance(struct sc_buf *out, const struct sc_field *f)
{
    for (size_t i = 0; i < f->nkids; i++) {
        const struct sc_field *k = f->kids[i];

        sc_buf_fmt(out, "<%s%s", sc_element(k),
                   k->type == SC_REPEAT ? " jr:template=\"\"" : "");
        if (k->nkids == 0) {
            sc_buf_str(out, "/>");
            continue;
        }
        sc_buf_str(out, ">");
        instance(out, k);
        sc_buf_fmt(out, "</%s>", sc_element(k));
    }
}

static void
raw_path(struct sc_buf *out, const struct sc_field *f)
{
    if (f->parent == NULL) {
        sc_buf_str(out, "/data");
        return;
    }
    raw_path(out, f->parent);
    sc_buf_fmt(out, "/%s", sc_element(f));
}

static void
binds(struct sc_buf *out, const struct sc_field *f)
{
    static const char *const types[] = {
        "string",   "int",      "decimal",  "boolean",  "date",    "time",
        "dateTime", "geopoint", "geotrace", "geoshape", "barcode", "binary",
    };

    for (size_t i = 0; i < f->nkids; i++) {
        const struct sc_field *k = f->kids[i];

        if (k->type <= SC_BINARY) {
            sc_buf_str(out, "<bind nodeset=\"");
            raw_path(out, k);
            sc_buf_fmt(out, "\" type=\"%s\"/>\n", types[k->type]);
        }
        binds(out, k);
    }
}

static void
label(struct sc_buf *out, const struct sc_field *f)
{
    sc_buf_str(out, "<label>");
    sc_xml_text(out, f->raw);
    sc_buf_str(out, "</label>");
}

static void body(struct sc_buf *out, const struct sc_field *f);

static void
group(struct sc_buf *out, const struct sc_field *f, const char *path)
{
    bool repeat = f->type == SC_REPEAT;

    sc_buf_fmt(out, "<group ref=\"%s\">", path);
    label(out, f);
    if (repeat)
        sc_buf_fmt(out, "<repeat nodeset=\"%s\">", path);
    sc_buf_str(out, "\n");
    body(out, f);
    sc_buf_str(out, repeat ? "</repeat></group>\n" : "</group>\n");
}

static void
control(struct sc_buf *out, const struct sc_field *f, const char *path)
{
    const char *name = f->multiple            ? "select"
                       : f->select            ? "select1"
                       : f->type == SC_BINARY ? "upload"
                                              : "input";

    sc_buf_fmt(out, "<%s ref=\"%s\">", name, path);
    label(out, f);
    for (char c = 'a'; (f->multiple || f->select) && c <= 'e'; c++)
        sc_buf_fmt(out,
                   "<item><label>Option %c</label><value>%c</value></item>", c,
                   c);
    sc_buf_fmt(out, "</%s>\n", name);
}

static void
body(struct sc_buf *out, const struct sc_field *f)
{
    for (size_t i = 0; i < f->nkids; i++) {
        const struct sc_field *k = f->kids[i];
        struct sc_buf path = { 0 };

        raw_path(&path, k);
        if (strcmp(path.p, "/data/meta") == 0 || k->type == SC_UNKNOWN)
            ; /* people are not asked */
        else if (k->type == SC_STRUCTURE || k->type == SC_REPEAT)
            group(out, k, path.p);
        else
            control(out, k, path.p);
        sc_buf_free(&path);
    }
}

void
sc_xform_xml(const struct sc_form *f, const struct sc_version *v,
             struct sc_buf *out)
{
    if (v->xml != NULL) {
        sc_buf_str(out, v->xml);
        return;
    }
    sc_buf_str(
        out, "<?xml version=\"1.0\"?>\n"
             "<h:html xmlns=\"http://www.w3.org/2002/xforms\""
             " xmlns:h=\"http://www.w3.org/1999/xhtml\""
             " xmlns:jr=\"http://openrosa.org/javarosa\">\n<h:head><h:title>");
    sc_xml_text(out, v->title);
    sc_buf_str(out, "</h:title>\n<model><instance><data id=\"");
    sc_xml_text(out, f->id);
    sc_buf_str(out, "\" version=\"");
    sc_xml_text(out, v->name);
    sc_buf_str(out, "\">");
    instance(out, v->root);
    sc_buf_str(out, "</data></instance>\n");
    binds(out, v->root);
    sc_buf_str(out, "</model></h:head>\n<h:body>\n");
    body(out, v->root);
    sc_buf_str(out, "</h:body>\n</h:html>\n");
}
