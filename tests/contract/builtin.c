/* tests/contract/builtin.c - SPDX-License-Identifier: Apache-2.0 */
/* The forms that a fresh stand-in has. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "standin.h"

static const struct {
    int project;
    const char *id, *title, *version, *fields;
} builtin[] = {
    { 1, "simple", "Simple", "1",
      "[\"s_text\",\"n_int:int\",\"n_dec:decimal\",\"yes_no:select\","
      "\"sel_multi:selectMultiple\",\"d_date:date\",\"t_time:time\","
      "\"dt:dateTime\",\"gp:geopoint\",\"gt:geotrace\",\"gs:geoshape\","
      "\"bar:barcode\",\"photo:binary\",\"tricky\"]" },
    { 1, "household", "Household", "2026011501",
      "[\"hh_id\",\"order:int\",\"user\",\"Name\",\"name\","
      "{\"Location\":[\"District:select\",{\"address\":[\"Street-Name\","
      "\"zip.code\",\"gps:geopoint\"]}]},"
      "\"this_is_a_very_long_field_name_that_goes_beyond_the_sixty_three_"
      "byte_limit_a\","
      "\"this_is_a_very_long_field_name_that_goes_beyond_the_sixty_three_"
      "byte_limit_b:int\",\"1st\",\"a-b\",\"a_b_\","
      "{\"person_details[]\":[\"p_name\",\"age:int\",\"order\","
      "\"p-sex:select\",\"langs:selectMultiple\","
      "{\"contact\":[\"phone\",\"photo:binary\"]},"
      "{\"visits[]\":[\"v_date:date\",\"v_reason\",\"v_cost:decimal\"]}]},"
      "{\"grp_rep\":[\"note\",{\"asset[]\":[\"kind\",\"qty:int\"]}]},"
      "{\"kinds\":[\"when:dateTime\",\"at:time\",\"trace:geotrace\","
      "\"shape:geoshape\",\"code:barcode\",\"agreed:boolean\","
      "\"share:decimal\",\"scan:binary\",\"calc:unknown\"]}]" },
    { 1, "drift", "Drift", "1",
      "[\"keep\",\"num:int\",\"gone\",{\"g\":[\"x:int\"]}]" },
    { 1, "bulk", "Bulk", "1",
      "[\"enum\",\"interview_date:date\",\"start:dateTime\","
      "\"end:dateTime\",\"district:select\",\"village\",\"gps:geopoint\","
      "\"hh_size:int\",\"income:decimal\",\"assets:selectMultiple\","
      "\"water:select\",\"phone:barcode\",\"score:int\",\"consent:select\","
      "\"remarks\",{\"person_details[]\":[\"p_name\",\"age:int\","
      "\"sex:select\",\"school:select\"]}]" },
    { 1, "collide", "Collide", "1",
      "[\"a-b\",\"a.b\",{\"r-1[]\":[\"x\"]},{\"r.1[]\":[\"x\"]}]" },
    { 1, "closedform", "Closed", "1", "[\"a\"]" },
    { 1, "odd id-1.2 \xc5\xbe", "Odd", "1.0 beta/2", "[\"a\"]" },
    { 2, "secret", "Secret", "1[encrypted:AaIJMC9C]",
      "[\"a\",\"b:int\",{\"rep[]\":[\"c\"]}]" },
};

/* Submissions of the bulk form are at most a minute apart. */
static void
seed_bulk(struct sc_server *s, struct sc_form *f)
{
    const int64_t spread = INT64_C(300) * 86400 * 1000;
    uint64_t n = s->seed_bulk;

    f->bulk_n = n;
    f->next_rowid = (int64_t) n;
    f->bulk_first = INT64_C(1735689600000); /* 2025-01-01 */
    f->bulk_step = n == 0 ? 0 : spread / (int64_t) n;
    if (f->bulk_step > 60000)
        f->bulk_step = 60000;
}

/* Earlier forms are kept until the end: an answer may still read them. */
void
sc_forms_reset(struct sc_server *s)
{
    s->graves =
        realloc(s->graves, (s->ngraves + s->nforms + 1) * sizeof(*s->graves));
    if (s->graves == NULL)
        abort();
    for (size_t i = 0; i < s->nforms; i++)
        s->graves[s->ngraves++] = s->forms[i];
    s->nforms = 0;
    for (size_t i = 0; i < sizeof(builtin) / sizeof(*builtin); i++) {
        struct json_object *fields = odks_json_read(builtin[i].fields);
        struct sc_form *f =
            sc_form_publish(s, builtin[i].project, builtin[i].id,
                            builtin[i].title, builtin[i].version, fields, NULL);

        json_object_put(fields);
        if (f == NULL)
            abort();
        f->encrypted = strcmp(f->id, "secret") == 0;
        if (strcmp(f->id, "closedform") == 0)
            f->state = "closed";
        if (strcmp(f->id, "bulk") == 0)
            seed_bulk(s, f);
    }
    s->next_event = s->seed_bulk + 1000;
    s->next_seed = 1;
}
