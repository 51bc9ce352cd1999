/* lib/table/privacy.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Privacy: what of a submission is not to be stored, or not as it is.
 *
 * Rules come from the configuration, are bound to the fields of a form, and
 * then mask each row right after it was parsed, before anything else sees it.
 * A rule holds for a question; or for a group or repeat with all below it.
 * What is dropped is gone whatever else is said of it; all other rules for one
 * question must agree.
 */
#ifndef ODKS_TABLE_PRIVACY_H
#define ODKS_TABLE_PRIVACY_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "central/central.h"
#include "config/config.h"
#include "core/cleanup.h"

struct odks_privacy; /* opaque */

/*
 * The rules of a job, whose key (see odks_config_hash_key()) may be NULL where
 * nothing is to be masked. *privacy is NULL when there are none, and all of
 * the below take that. The caller owns it; conf must outlive it.
 */
void odks_privacy_new(const struct odks_job_conf *conf, const char *key,
                      struct odks_privacy **privacy);
void odks_privacy_free(struct odks_privacy *privacy);
ODKS_DEFINE_CLEANUP(privacy, struct odks_privacy *, odks_privacy_free)
#define CLEANUP_PRIVACY CLEANUP(odks_cleanup_privacy)

/*
 * The rules in one order and spelling, with a fingerprint of the key, for
 * whatever depends on them; "" for none. Borrowed.
 */
const char *odks_privacy_text(const struct odks_privacy *privacy);

/*
 * Bind the rules to a form and leave in fields what they leave of it: without
 * what is dropped, and with text for what is hashed. Once for each form. 78 if
 * a rule does not fit a question, or two of them contradict each other; names
 * that the form does not have are found later, in odks_model_prepare().
 */
ODKS_MUST_CHECK bool odks_privacy_bind(struct odks_privacy *privacy,
                                       struct odks_field *fields,
                                       struct odks_err *err);

/*
 * Mask a row of the form, of the submissions or just of their keys; rules
 * must be bound. What cannot be masked becomes null: nothing fails.
 */
void odks_privacy_mask(const struct odks_privacy *privacy,
                       struct json_object *row);

/* For people: how many rules, what each says, and for which questions. */
size_t odks_privacy_count(const struct odks_privacy *privacy);
/* "hash nin", or NULL behind the last; borrowed. */
const char *odks_privacy_rule(const struct odks_privacy *privacy, size_t i);
/*
 * "/person/nin, /nin" of the bound form; NULL if it has none, and *meant is a
 * name that it has, or NULL. The caller frees it; *meant is borrowed.
 */
char *odks_privacy_questions(const struct odks_privacy *privacy, size_t i,
                             const char **meant);
/* [{"name": "/person/nin", "rule": "hash"}, ...]; the caller puts it. */
struct json_object *odks_privacy_json(const struct odks_privacy *privacy);

#endif
