/* lib/central/xml.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "central/xml.h"

#include <expat.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/stop.h"

enum { CHUNK = 64 * 1024 };

struct parse {
    const char *what; /* the document is, for messages */
    XML_Parser parser;
    struct odks_xml *root;
    struct odks_xml *at;  /* the element that is open */
    struct odks_buf text; /* since the last tag */
    size_t depth, nodes;
    const char *refused; /* why we stopped, or NULL */
};

static void
refuse(struct parse *p, const char *why)
{
    p->refused = why;
    (void) XML_StopParser(p->parser, XML_FALSE);
}

static struct odks_xml *
add_node(struct parse *p)
{
    struct odks_xml *node = odks_xcalloc(1, sizeof(*node));

    if (++p->nodes > ODKS_XML_NODES)
        refuse(p, "has too many elements");
    node->parent = p->at;
    if (p->at == NULL) {
        p->root = node;
    } else if (p->at->first == NULL) {
        p->at->first = p->at->last = node;
    } else {
        p->at->last->next = node;
        p->at->last = node;
    }
    return node;
}

/*
 * White space between elements is dropped. If an element contains nothing
 * else, it is the text of the element.
 */
static void
flush_text(struct parse *p, bool at_end)
{
    if (p->text.len == 0)
        return;
    if (p->at != NULL
        && (strspn(p->text.data, " \t\r\n") < p->text.len
            || (at_end && p->at->first == NULL)
            || strcmp(p->at->name, "label") == 0
            || strcmp(p->at->name, "value") == 0))
        add_node(p)->text = odks_xstrdup(p->text.data);
    odks_buf_truncate(&p->text, 0);
}

static const char *
local(const char *name)
{
    const char *colon = strrchr(name, ':');

    return colon != NULL ? colon + 1 : name;
}

static void XMLCALL
on_start(void *arg, const XML_Char *name, const XML_Char **attribute)
{
    struct parse *p = arg;
    size_t count = 0;

    flush_text(p, false);
    struct odks_xml *node = add_node(p);
    node->name = odks_xstrdup(local(name));
    while (attribute[count] != NULL)
        count++;
    if (count > 0)
        node->attribute = odks_xcalloc(count + 1, sizeof(*node->attribute));
    for (size_t i = 0; i < count; i++)
        node->attribute[i] =
            odks_xstrdup(i % 2 == 0 ? local(attribute[i]) : attribute[i]);
    p->at = node;
    if (++p->depth > ODKS_XML_DEPTH)
        refuse(p, "goes too deep");
}

static void XMLCALL
on_end(void *arg, const XML_Char *name)
{
    struct parse *p = arg;

    (void) name;
    flush_text(p, true);
    p->depth--;
    p->at = p->at->parent;
}

static void XMLCALL
on_text(void *arg, const XML_Char *text, int len)
{
    struct parse *p = arg;

    if (!odks_buf_add(&p->text, text, (size_t) len))
        refuse(p, "has a text that is too long");
}

static void XMLCALL
on_doctype(void *arg, const XML_Char *name, const XML_Char *system_id,
           const XML_Char *public_id, int has_subset)
{
    (void) name;
    (void) system_id;
    (void) public_id;
    (void) has_subset;
    refuse(arg, "has a document type, which is not allowed");
}

/* The other function that tells it is deprecated from expat 2.9 on. */
static unsigned long long
line_number(XML_Parser parser)
{
#if HAVE_DECL_XML_GETCURRENTLINENUMBER64
    return XML_GetCurrentLineNumber64(parser);
#else
    return XML_GetCurrentLineNumber(parser);
#endif
}

static void
failed(const struct parse *p, struct odks_err *err)
{
    enum XML_Error code = XML_GetErrorCode(p->parser);

    if (p->refused != NULL)
        odks_err_set(err, ODKS_EXIT_DATA, "the XML of the %s %s", p->what,
                     p->refused);
    else if (code == XML_ERROR_NO_MEMORY)
        odks_err_set(err, ODKS_EXIT_OS, "out of memory");
    else if (code == XML_ERROR_NO_ELEMENTS || code == XML_ERROR_UNCLOSED_TOKEN
             || code == XML_ERROR_PARTIAL_CHAR
             || code == XML_ERROR_UNCLOSED_CDATA_SECTION)
        odks_err_set(err, ODKS_EXIT_UNAVAILABLE,
                     "the XML of the %s was cut short", p->what);
    else
        odks_err_set(err, ODKS_EXIT_DATA,
                     "the XML of the %s cannot be read: line %llu: %s", p->what,
                     line_number(p->parser), XML_ErrorString(code));
}

/* In pieces, so that a request to stop takes effect in a large document. */
static bool
feed_parser(const struct parse *p, const char *text, size_t len,
            struct odks_err *err)
{
    for (bool last = false; !last;) {
        size_t n = len < CHUNK ? len : CHUNK;

        if (odks_stop_requested()) {
            odks_stop_err(err);
            return false;
        }
        last = n == len;
        if (XML_Parse(p->parser, text, (int) n, last) != XML_STATUS_OK) {
            failed(p, err);
            return false;
        }
        text += n;
        len -= n;
    }
    return true;
}

bool
odks_xml_parse(const char *what, const char *text, size_t len,
               struct odks_xml **root, struct odks_err *err)
{
    struct parse p = { .what = what,
                       .parser = XML_ParserCreate(NULL),
                       .text = ODKS_BUF_INIT(INT_MAX) };

    *root = NULL;
    if (p.parser == NULL) {
        odks_err_set(err, ODKS_EXIT_OS, "out of memory");
        XML_ParserFree(p.parser);
        return false;
    }
    XML_SetUserData(p.parser, &p);
    XML_SetElementHandler(p.parser, on_start, on_end);
    XML_SetCharacterDataHandler(p.parser, on_text);
    XML_SetStartDoctypeDeclHandler(p.parser, on_doctype);
    bool ok = feed_parser(&p, text, len, err);
    XML_ParserFree(p.parser);
    odks_buf_free(&p.text);
    if (ok)
        *root = p.root;
    else
        odks_xml_free(p.root);
    return ok;
}

static void
free_node(struct odks_xml *node)
{
    for (size_t i = 0; node->attribute != NULL && node->attribute[i] != NULL;
         i++)
        free(node->attribute[i]);
    free(node->attribute);
    free(node->name);
    free(node->text);
    free(node);
}

void
odks_xml_free(struct odks_xml *root)
{
    struct odks_xml *node = root;

    /* leaves first, and no recursion: a node gives its children away */
    while (node != NULL) {
        if (node->first != NULL) {
            struct odks_xml *child = node->first;

            node->first = child->next;
            node = child;
        } else {
            struct odks_xml *parent = node == root ? NULL : node->parent;

            free_node(node);
            node = parent;
        }
    }
}

const struct odks_xml *
odks_xml_child(const struct odks_xml *node, const struct odks_xml *after,
               const char *name)
{
    const struct odks_xml *child = after != NULL ? after->next : node->first;

    while (child != NULL
           && (child->name == NULL || strcmp(child->name, name) != 0))
        child = child->next;
    return child;
}

const struct odks_xml *
odks_xml_find(const struct odks_xml *node, const char *path)
{
    while (node != NULL && *path != '\0') {
        size_t len = strcspn(path, "/");
        CLEANUP_FREE char *name = odks_xstrndup(path, len);

        node = odks_xml_child(node, NULL, name);
        path += path[len] == '/' ? len + 1 : len;
    }
    return node;
}

const char *
odks_xml_get(const struct odks_xml *node, const char *attribute)
{
    for (size_t i = 0; node->attribute != NULL && node->attribute[i] != NULL;
         i += 2) {
        if (strcmp(node->attribute[i], attribute) == 0)
            return node->attribute[i + 1];
    }
    return NULL;
}
