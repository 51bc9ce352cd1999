/* jobs/privacy.c - SPDX-License-Identifier: Apache-2.0 */
/* The privacy rules of a job, and what they leave of its form. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "jobs/walk.h"
#include "table/privacy.h"

bool
odks_walk_rules(struct odks_walk *w, struct odks_err *err)
{
    if (!odks_config_hash_key(w->a->conf, &w->hash_key, err))
        return false;
    odks_privacy_new(w->a->conf, w->hash_key, &w->privacy);
    return true;
}

void
odks_walk_forget_form(struct odks_walk *w)
{
    odks_field_free(w->fields);
    odks_field_free(w->whole);
    odks_privacy_free(w->privacy);
    if (w->hash_key != NULL)
        explicit_bzero(w->hash_key, strlen(w->hash_key));
    free(w->hash_key);
}
