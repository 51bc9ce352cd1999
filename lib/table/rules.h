/* lib/table/rules.h - SPDX-License-Identifier: Apache-2.0 */
/* The inside of privacy: shared by the files that make it up. */
#ifndef ODKS_TABLE_RULES_H
#define ODKS_TABLE_RULES_H

#include "table/plan.h"
#include "table/privacy.h"

enum odks_action {
    ODKS_DROP,
    ODKS_HASH,
    ODKS_YEAR,
    ODKS_MONTH,
    ODKS_DAY,
    ODKS_DECIMALS
};

struct odks_rule {
    char *name; /* "/group/question", or "question" for all of that name */
    char *said; /* as the configuration has it: "hash nin" */
    enum odks_action action;
    int decimals;
    bool system;  /* for a value that Central adds */
    bool matched; /* the bound form has what it names */
};

/* A field of the form as it is at Central, with what is to be done to it. */
struct odks_mask {
    char *name;
    char *path;
    char *odata; /* its path in OData */
    enum odks_field_type type;
    const struct odks_rule *rule; /* NULL: none; of all below if it drops */
    bool below;                   /* here or below there is any rule */
    struct odks_mask *child;      /* in the order of the fields */
    size_t count;
    struct lh_table *index; /* name -> child */
};

struct odks_privacy {
    const struct odks_job_conf *conf;
    const char *key;
    char *key_id; /* fingerprint */
    char *text;
    struct odks_rule *rule; /* sorted */
    size_t count;
    bool questions; /* there are rules that are not of the system */
    struct odks_mask *root;
};

/*
 * Does the rule name the question at path, or a group or repeat that contains
 * it? odata is its path in OData; NULL: the question was removed from the form,
 * and path may be either.
 */
bool odks_rule_covers(const struct odks_rule *rule, const char *path,
                      const char *odata);
/* Just what is at path? */
bool odks_rule_names(const struct odks_rule *rule, const char *path,
                     const char *odata);

/*
 * Do rows that obey all of have, a text as odks_privacy_text() gives, obey
 * this rule, too?
 */
bool odks_rule_is_kept(const struct odks_privacy *privacy,
                       const struct odks_rule *rule, const char *have);

/*
 * The text of all rules; those for which late[i] is set (late may be NULL) are
 * marked: no row obeys them for that, but it is known that they have come. The
 * caller frees it.
 */
char *odks_rules_text(const struct odks_privacy *privacy, const bool *late);
/* Is it marked so in have? */
bool odks_rule_is_late(const struct odks_privacy *privacy,
                       const struct odks_rule *rule, const char *have);

/* Where a rule of the system has its value in a row; NULL: it is no such. */
const char *odks_rule_system_from(const struct odks_rule *rule);

/*
 * Add " OR ..." conditions that are true if r, a row of odk_sync_reject, is
 * about a question that the rule names.
 */
struct odks_sqltext;
void odks_rule_add_rejects(struct odks_sqltext *t,
                           const struct odks_rule *rule);

/* Does a rule apply to the question at path of the bound form? */
bool odks_privacy_masks(const struct odks_privacy *privacy, const char *path);

/* Has the bound form this repeat, "Submissions.person", and is it dropped? */
bool odks_privacy_drops_repeat(const struct odks_privacy *privacy,
                               const char *odata);

void odks_mask_free(struct odks_mask *root);

/* Masked values, in the time zone of the job: NULL is JSON's null. The caller
 * puts them. */
struct json_object *odks_coarse_date(const struct odks_rule *rule,
                                     enum odks_field_type type,
                                     const char *of_job,
                                     struct json_object *value);
struct json_object *odks_coarse_place(const struct odks_rule *rule,
                                      enum odks_field_type type,
                                      struct json_object *value);

/*
 * Find out what rules that came later mean for the tables there are; 78 when
 * a rule names nothing that the form has or had.
 */
ODKS_MUST_CHECK bool odks_plan_privacy(struct odks_plan *plan,
                                       const struct odks_model_conf *conf,
                                       struct odks_err *err);

/*
 * Statements that empty what no later run would write, and forget the rejects
 * of tables that are made anew. False: too long.
 */
ODKS_MUST_CHECK bool odks_ddl_forget(struct odks_db *db,
                                     const struct odks_model_conf *conf,
                                     const struct odks_plan *plan,
                                     struct odks_buf *ddl);
/* Put on record what the tables will obey. */
ODKS_MUST_CHECK bool odks_plan_save_privacy(struct odks_db *db,
                                            const struct odks_model_conf *conf,
                                            const struct odks_plan *plan,
                                            struct odks_err *err);
void odks_plan_clear_privacy(struct odks_plan *plan);

/*
 * With all keys of Central in odk_sync_key: empty what is stale in rows that
 * are not among them and were written before since.
 */
ODKS_MUST_CHECK bool odks_privacy_settle(struct odks_db *db,
                                         const struct odks_model *model,
                                         const char *sync_type,
                                         const char *since,
                                         struct odks_err *err);

#endif
