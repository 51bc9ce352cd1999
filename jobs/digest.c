/* jobs/digest.c - SPDX-License-Identifier: Apache-2.0 */
/* What the rows of a form's tables follow from, as one short text. */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>

#include "core/hash.h"
#include "core/mem.h"
#include "jobs/walk.h"
#include "table/privacy.h"

static void
add(uint64_t *hash, const char *s)
{
    *hash = odks_hash_text(*hash, s);
}

static void
add_number(uint64_t *hash, int64_t n)
{
    char text[ODKS_DB_INT64_TEXT];

    add(hash, odks_db_int64_param(n, text));
}

static void
add_list(uint64_t *hash, const char *const *list)
{
    for (; list != NULL && *list != NULL; list++)
        add(hash, *list);
    add(hash, NULL);
}

static void
add_field(uint64_t *hash, const struct odks_field *f)
{
    add(hash, f->path);
    add_number(hash, (int64_t) f->type);
    for (size_t i = 0; i < f->child_count; i++)
        add_field(hash, f->child[i]);
}

static void
add_settings(uint64_t *hash, const struct odks_walk *w)
{
    const struct odks_job_conf *conf = w->a->conf;

    add(hash, conf->central->url);
    add_number(hash, conf->project);
    add(hash, conf->form);
    if (conf->dataset != NULL)
        add(hash, conf->dataset);
    add_number(hash, conf->raw);
    add(hash, conf->timezone);
    add_number(hash, (int64_t) conf->on_delete);
    add_list(hash, conf->tables);
    add(hash, odks_privacy_text(w->privacy));
}

char *
odks_walk_digest(const struct odks_walk *w)
{
    uint64_t hash = ODKS_HASH_INIT;

    add_field(&hash, w->fields);
    add_settings(&hash, w);
    return odks_xasprintf("%016" PRIx64, hash);
}

char *
odks_walk_tag_key(const struct odks_walk *w)
{
    uint64_t hash = ODKS_HASH_INIT;

    add(&hash, PACKAGE_VERSION);
    add(&hash, w->form.hash);
    add(&hash, w->a->conf->schema);
    add(&hash, w->a->conf->table);
    add_number(&hash, w->a->conf->attachments_age_s);
    add_settings(&hash, w);
    return odks_xasprintf("%016" PRIx64, hash);
}
