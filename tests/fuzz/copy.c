/* tests/fuzz/copy.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines for COPY. Any bytes come back when they are read as PostgreSQL reads
 * them, and a JSON value of any type fills exactly its columns.
 */
#include <config.h>

#include "table/copy.h"

#include "fuzz.h"
#include "table/types.h"
#include "table/value.h"

enum { MAX = 1 << 16 };

/* The character that a backslash and c stand for in the text format. */
static char
unescape(char c)
{
    static const char letters[] = "bfnrtv", bytes[] = "\b\f\n\r\t\v";
    const char *at = strchr(letters, c);

    return c != '\0' && at != NULL ? bytes[at - letters] : c;
}

static void
check_text(const uint8_t *data, size_t size)
{
    struct odks_copy c = ODKS_COPY_INIT(2 * MAX + 2);
    size_t at = 0;

    odks_copy_field(&c);
    odks_copy_text(&c, (const char *) data, size);
    odks_copy_end(&c);
    FUZZ_REQUIRE(!c.full && c.buf.len > 0);
    FUZZ_REQUIRE(c.buf.data[c.buf.len - 1] == '\n');
    for (size_t i = 0; i < c.buf.len - 1; i++) {
        char byte = c.buf.data[i];
        FUZZ_REQUIRE(byte != '\n' && byte != '\r' && byte != '\t');
        if (byte == '\\')
            byte = unescape(c.buf.data[++i]);
        FUZZ_REQUIRE(at < size && byte == (char) data[at]);
        at++;
    }
    FUZZ_REQUIRE(at == size);
    odks_buf_free(&c.buf);
}

static size_t
count_fields(const struct odks_buf *line)
{
    size_t fields = 1;

    for (size_t i = 0; i < line->len; i++)
        fields += line->data[i] == '\t';
    return fields;
}

static void
check_value(enum odks_field_type type, struct json_object *value)
{
    const struct odks_type *t = odks_type(type);

    for (int geometry = 0; geometry <= (t->geometry != NULL); geometry++) {
        struct odks_copy c = ODKS_COPY_INIT(64 * MAX);
        const char *reason = odks_value_put(&c, type, geometry, value);
        odks_copy_end(&c);
        FUZZ_REQUIRE(!c.full);
        FUZZ_REQUIRE(count_fields(&c.buf) == t->count);
        FUZZ_REQUIRE(memchr(c.buf.data, '\n', c.buf.len)
                     == c.buf.data + c.buf.len - 1);
        FUZZ_REQUIRE(reason == NULL || *reason != '\0');
        odks_buf_free(&c.buf);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > MAX)
        return 0;
    check_text(data, size);
    char *text = fuzz_string(data, size);
    struct json_object *value = json_tokener_parse(text);
    for (int type = 0; type <= ODKS_FIELD_PLACE; type++)
        if (type != ODKS_FIELD_GROUP && type != ODKS_FIELD_REPEAT)
            check_value((enum odks_field_type) type, value);
    json_object_put(value);
    free(text);
    return 0;
}
