/* tests/contract/eval.c - SPDX-License-Identifier: Apache-2.0 */
/* What a $filter means: SQL's three-valued logic over six fields. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "standin.h"

enum { F_ID, F_CREATED, F_UPDATED, F_DELETED, F_SUBMITTER, F_REVIEW };

struct value {
    enum { V_NULL, V_STR, V_NUM, V_WHEN } type;
    const char *s; /* V_STR, or a V_NUM as written */
    double num;
    int64_t us;
};

void
sc_fault_set(struct sc_fault *e, int status, const char *code,
             const char *message, const char *details)
{
    struct sc_buf b = { 0 };

    if (e->status != 0)
        return; /* the first fault is the one that is told */
    sc_buf_str(&b, "{\"message\":");
    sc_buf_json(&b, message);
    if (code != NULL)
        sc_buf_fmt(&b, ",\"code\":%s", code);
    if (details != NULL)
        sc_buf_fmt(&b, ",\"details\":%s", details);
    sc_buf_str(&b, "}");
    e->status = status;
    e->body = b.p;
}

static void
unknown_field(const struct sc_node *n, struct sc_fault *e)
{
    struct sc_buf m = { 0 }, d = { 0 };

    sc_buf_fmt(&m,
               "The given OData filter expression references fields not"
               " supported by this server: %s at %zu",
               n->text, n->at);
    sc_buf_fmt(&d, "{\"at\":%zu,\"text\":", n->at);
    sc_buf_json(&d, n->text);
    sc_buf_str(&d, "}");
    sc_fault_set(e, 501, "501.5", m.p, d.p);
    sc_buf_free(&m);
    sc_buf_free(&d);
}

static void
unknown_feature(const struct sc_node *n, const char *type, struct sc_fault *e)
{
    struct sc_buf m = { 0 }, d = { 0 }, whole = { 0 };
    const char *q = n->kind == SC_STR ? "'" : "";

    sc_buf_fmt(&whole, "%s%s%s", q, n->text, q);
    sc_buf_fmt(&m,
               "The given OData filter expression uses features not"
               " supported by this server: %s at %zu (\"%s\")",
               type, n->at, whole.p);
    sc_buf_fmt(&d, "{\"at\":%zu,\"type\":\"%s\",\"text\":", n->at, type);
    sc_buf_json(&d, whole.p);
    sc_buf_str(&d, "}");
    sc_fault_set(e, 501, "501.4", m.p, d.p);
    sc_buf_free(&m);
    sc_buf_free(&d);
    sc_buf_free(&whole);
}

static void
internal(struct sc_fault *e)
{
    sc_fault_set(e, 500, NULL, "Internal Server Error", NULL);
}

/* The database knows how long a month is, the parser does not. */
static bool
real_day(const struct sc_node *n)
{
    char text[25];

    sc_time_text(n->when / 1000, text);
    return n->text[10] != '\0' || strncmp(text, n->text, 10) == 0;
}

static bool
supported_call(const char *text)
{
    static const char *const parts[] = { "year(",   "month(",  "day(", "hour(",
                                         "minute(", "second(", "now(" };

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (strncmp(text, parts[i], strlen(parts[i])) == 0)
            return true;
    return false;
}

static bool
check_operand(const struct sc_node *n, bool root_only, struct sc_fault *e)
{
    static const char *const arithmetic[] = { "AddExpression", "SubExpression",
                                              "MulExpression", "DivExpression",
                                              "ModExpression" };

    if (n->kind >= SC_ADD && n->kind <= SC_MOD) {
        unknown_feature(n, arithmetic[n->kind - SC_ADD], e);
        return false;
    }
    if (n->kind == SC_PAREN) {
        unknown_feature(n, "ParenExpression", e);
        return false;
    }
    if (n->kind == SC_CALL && !supported_call(n->text)) {
        unknown_feature(n, "MethodCallExpression", e);
        return false;
    }
    if (n->kind == SC_CALL && n->a != NULL)
        return check_operand(n->a, root_only, e);
    if (n->kind == SC_PATH
        && (n->field < 0 || (root_only && n->text[0] != '$'))) {
        unknown_field(n, e);
        return false;
    }
    return true;
}

static bool
check(const struct sc_node *n, bool root_only, struct sc_fault *e)
{
    if (n->kind == SC_PAREN || n->kind == SC_NOT)
        return check(n->a, root_only, e);
    if (n->kind == SC_AND || n->kind == SC_OR)
        return check(n->a, root_only, e) && check(n->b, root_only, e);
    if (n->kind >= SC_EQ && n->kind <= SC_GE)
        return check_operand(n->a, root_only, e)
               && check_operand(n->b, root_only, e);
    if (n->kind == SC_CALL && !check_operand(n, root_only, e))
        return false;
    unknown_feature(n, "CommonExpression", e);
    return false;
}

/* Every comparison by itself: "or" must not hide what is wrong. */
static void
try_each(const struct sc_node *n, const struct sc_view *v, struct sc_fault *e)
{
    if (n->kind == SC_WHEN && !real_day(n))
        internal(e);
    if (n->kind >= SC_EQ && n->kind <= SC_GE)
        (void) sc_filter_eval(n, v, e);
    if (n->a != NULL)
        try_each(n->a, v, e);
    if (n->b != NULL)
        try_each(n->b, v, e);
}

/* Central's refusals, then those of its database, which need no row. */
bool
sc_filter_check(const struct sc_node *n, bool root_only, struct sc_fault *e)
{
    const struct sc_view any = { .id = "x",
                                 .review = "edited",
                                 .submitter = 5 };

    if (!check(n, root_only, e))
        return false;
    try_each(n, &any, e);
    return e->status == 0;
}

static struct value
when(int64_t ms)
{
    if (ms == SC_NONE)
        return (struct value){ .type = V_NULL };
    return (struct value){ .type = V_WHEN, .us = ms * 1000 };
}

static struct value
field_value(int field, const struct sc_view *v)
{
    switch (field) {
    case F_ID:
        return (struct value){ .type = V_STR, .s = v->id };
    case F_CREATED:
        return when(v->created);
    case F_UPDATED:
        return when(v->updated);
    case F_DELETED:
        return when(v->deleted);
    case F_SUBMITTER:
        if (v->submitter == 0)
            return (struct value){ .type = V_NULL };
        return (struct value){ .type = V_NUM, .num = v->submitter };
    default:
        return (struct value){ .type = v->review != NULL ? V_STR : V_NULL,
                               .s = v->review };
    }
}

static struct value operand(const struct sc_node *n, const struct sc_view *v,
                            struct sc_fault *e);

static struct value
call_value(const struct sc_node *n, const struct sc_view *v, struct sc_fault *e)
{
    static const struct {
        const char *name;
        unsigned char at, len;
    } parts[] = {
        { "year(", 0, 4 },  { "month(", 5, 2 },   { "day(", 8, 2 },
        { "hour(", 11, 2 }, { "minute(", 14, 2 }, { "second(", 17, 2 }
    };
    struct value in = { .type = V_STR };
    char t[25], digits[5] = "";

    if (n->a != NULL)
        in = operand(n->a, v, e);
    if (in.type == V_NULL)
        return in;
    if (in.type != V_WHEN) {
        internal(e);
        return (struct value){ .type = V_NULL };
    }
    sc_time_text(in.us / 1000, t);
    for (size_t i = 0; i < 6; i++)
        if (strncmp(n->text, parts[i].name, strlen(parts[i].name)) == 0)
            memcpy(digits, t + parts[i].at, parts[i].len);
    return (struct value){ .type = V_NUM, .num = strtod(digits, NULL) };
}

static struct value
operand(const struct sc_node *n, const struct sc_view *v, struct sc_fault *e)
{
    switch (n->kind) {
    case SC_PATH:
        return field_value(n->field, v);
    case SC_STR:
    case SC_TRUTH:
        return (struct value){ .type = V_STR, .s = n->text };
    case SC_NUM:
        return (struct value){ .type = V_NUM,
                               .s = n->text,
                               .num = strtod(n->text, NULL) };
    case SC_WHEN:
        return (struct value){ .type = V_WHEN, .s = n->text, .us = n->when };
    case SC_CALL:
        return call_value(n, v, e);
    case SC_PAREN:
        return operand(n->a, v, e);
    default:
        return (struct value){ .type = V_NULL };
    }
}

static void
no_integer(const char *s, struct sc_fault *e)
{
    struct sc_buf m = { 0 }, d = { 0 };

    sc_buf_fmt(&m,
               "Invalid input data type: expected \"%s\" to be (type"
               " integer)",
               s);
    sc_buf_str(&d, "{\"value\":");
    sc_buf_json(&d, s);
    sc_buf_str(&d, ",\"expected\":\"type integer\"}");
    sc_fault_set(e, 400, "400.11", m.p, d.p);
    sc_buf_free(&m);
    sc_buf_free(&d);
}

/* Make b comparable with a, as the database would convert a parameter. */
static bool
convert(const struct value *a, struct value *b, struct sc_fault *e)
{
    if (a->type == b->type) {
        if (a->type == V_NUM && b->s != NULL && a->s == NULL
            && strchr(b->s, '.') != NULL) {
            no_integer(b->s, e);
            return false;
        }
        return true;
    }
    if (a->type == V_WHEN && b->type == V_STR && sc_time_parse(b->s, &b->us)) {
        b->type = V_WHEN;
        return true;
    }
    if (a->type == V_NUM && b->type == V_STR) {
        char *end;

        b->num = (double) strtol(b->s, &end, 10);
        b->type = V_NUM;
        end += strspn(end, " ");
        if (*b->s != '\0' && *end == '\0')
            return true;
        no_integer(b->s, e);
        return false;
    }
    if (a->type == V_STR && b->s != NULL) {
        b->type = V_STR;
        return true;
    }
    internal(e);
    return false;
}

static int
compare(const struct value *a, const struct value *b)
{
    if (a->type == V_STR)
        return strcmp(a->s, b->s);
    if (a->type == V_NUM)
        return a->num < b->num ? -1 : a->num > b->num;
    return a->us < b->us ? -1 : a->us > b->us;
}

static int
comparison(const struct sc_node *n, const struct sc_view *v, struct sc_fault *e)
{
    bool swap = n->a->kind != SC_PATH && n->b->kind == SC_PATH;
    struct value a = operand(swap ? n->b : n->a, v, e);
    struct value b = operand(swap ? n->a : n->b, v, e);

    /* eq and ne know null (IS NOT DISTINCT FROM), the others do not. */
    if (a.type == V_NULL || b.type == V_NULL) {
        if (n->kind == SC_EQ || n->kind == SC_NE)
            return (a.type == b.type) == (n->kind == SC_EQ);
        return -1;
    }
    if (!convert(&a, &b, e))
        return -1;
    int c = swap ? -compare(&a, &b) : compare(&a, &b);
    switch (n->kind) {
    case SC_EQ:
        return c == 0;
    case SC_NE:
        return c != 0;
    case SC_LT:
        return c < 0;
    case SC_LE:
        return c <= 0;
    case SC_GT:
        return c > 0;
    default:
        return c >= 0;
    }
}

int
sc_filter_eval(const struct sc_node *n, const struct sc_view *v,
               struct sc_fault *e)
{
    int a, b;

    switch (n->kind) {
    case SC_PAREN:
        return sc_filter_eval(n->a, v, e);
    case SC_NOT:
        a = sc_filter_eval(n->a, v, e);
        return a < 0 ? a : !a;
    case SC_AND:
        a = sc_filter_eval(n->a, v, e);
        if (a == 0)
            return 0;
        b = sc_filter_eval(n->b, v, e);
        return b == 0 ? 0 : a < 0 || b < 0 ? -1 : 1;
    case SC_OR:
        a = sc_filter_eval(n->a, v, e);
        if (a == 1)
            return 1;
        b = sc_filter_eval(n->b, v, e);
        return b == 1 ? 1 : a < 0 || b < 0 ? -1 : 0;
    default:
        return comparison(n, v, e);
    }
}
