/* tests/contract/store.c - SPDX-License-Identifier: Apache-2.0 */
/* Submissions: their states, where they are found, and the clock. */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "standin.h"

int64_t
sc_now(struct sc_server *s)
{
    struct timespec ts;

    if (s->clock_set != SC_NONE)
        return s->clock_set;
    (void) clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + s->clock_offset;
}

static struct sc_form *
find(struct sc_server *s, int project, const char *id, bool dataset)
{
    for (size_t i = 0; i < s->nforms; i++)
        if ((project == 0 || s->forms[i]->project == project)
            && s->forms[i]->dataset == dataset
            && strcmp(s->forms[i]->id, id) == 0 && !s->forms[i]->deleted)
            return s->forms[i];
    return NULL;
}

struct sc_form *
sc_form_find(struct sc_server *s, int project, const char *id)
{
    return find(s, project, id, false);
}

struct sc_form *
sc_dataset_find(struct sc_server *s, int project, const char *name)
{
    return find(s, project, name, true);
}

struct sc_form *
sc_form_named(struct sc_server *s, struct json_object *arg)
{
    const char *dataset = sc_json_str(arg, "dataset", NULL);
    int project = (int) sc_json_int(arg, "project", 0);

    return dataset != NULL
               ? sc_dataset_find(s, project, dataset)
               : sc_form_find(s, project, sc_json_str(arg, "form", ""));
}

const struct sc_version *
sc_form_current(const struct sc_form *f)
{
    return f->versions[f->nversions - 1];
}

struct sc_rev *
sc_rev_ref(struct sc_rev *r)
{
    (void) __atomic_add_fetch(&r->refs, 1, __ATOMIC_RELAXED);
    return r;
}

void
sc_rev_unref(struct sc_rev *r)
{
    if (r == NULL || __atomic_sub_fetch(&r->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    free(r->text);
    free(r->id);
    free(r->instance_id);
    free(r->submitter_name);
    free(r->device);
    free(r->form_version);
    free(r);
}

struct sc_rev *
sc_rev_new(struct sc_server *s, struct sc_form *f, const char *id)
{
    const struct sc_version *v = sc_form_current(f);
    struct sc_rev *r = sc_alloc(sizeof(*r));

    r->refs = 1;
    r->id = sc_dup(id);
    r->instance_id = sc_dup(id);
    r->rowid = ++f->next_rowid;
    r->created = sc_now(s);
    r->updated = r->deleted = SC_NONE;
    r->event = ++s->next_event;
    r->submitter = 5;
    r->submitter_name = sc_dup("admin@example.org");
    r->form_version = sc_dup(v->name);
    r->made_with = v;
    return r;
}

struct sc_rev *
sc_rev_copy(const struct sc_rev *old)
{
    struct sc_rev *r = sc_alloc(sizeof(*r));

    memcpy(r, old, offsetof(struct sc_rev, refs));
    r->refs = 1;
    r->text = sc_dup(old->text);
    r->id = sc_dup(old->id);
    r->instance_id = sc_dup(old->instance_id);
    r->submitter_name = sc_dup(old->submitter_name);
    r->device = sc_dup(old->device);
    r->form_version = sc_dup(old->form_version);
    return r;
}

char *
sc_rev_text(const struct sc_rev *r)
{
    struct sc_buf b = { 0 };

    if (r->source == SC_FROM_TEXT)
        return sc_dup(r->text);
    if (r->source == SC_FROM_BULK)
        sc_bulk_row(r->form, r->seed, true, &b);
    else
        sc_gen_text(r->made_with, r->seed, &b);
    return b.p;
}

static uint64_t
id_hash(const char *id)
{
    uint64_t h = 14695981039346656037ULL;

    for (; *id != '\0'; id++)
        h = (h ^ (unsigned char) *id) * 1099511628211ULL;
    return h;
}

static const char *
sub_id(const struct sc_sub *sub)
{
    return sub->cur != NULL ? sub->cur->id : sub->pending->id;
}

static void
table_put(struct sc_form *f, struct sc_sub *sub, const char *id)
{
    size_t i = id_hash(id) & (f->nbyid - 1);

    while (f->byid[i] != NULL)
        i = (i + 1) & (f->nbyid - 1);
    f->byid[i] = sub;
}

void
sc_sub_add(struct sc_form *f, struct sc_sub *sub, const char *id)
{
    if (f->nsubs == f->capsubs) {
        f->capsubs = f->capsubs == 0 ? 16 : f->capsubs * 2;
        f->subs = realloc(f->subs, f->capsubs * sizeof(f->subs[0]));
        if (f->subs == NULL)
            abort();
    }
    if (2 * (f->nsubs + 1) > f->nbyid) {
        free(f->byid);
        f->nbyid = f->nbyid == 0 ? 64 : f->nbyid * 2;
        f->byid = sc_alloc(f->nbyid * sizeof(f->byid[0]));
        for (size_t i = 0; i < f->nsubs; i++)
            table_put(f, f->subs[i], sub_id(f->subs[i]));
    }
    f->subs[f->nsubs++] = sub;
    f->unsorted = true;
    table_put(f, sub, id);
}

/* Purged ones stay in the table: a later one may have the same id. */
struct sc_sub *
sc_sub_find(struct sc_form *f, const char *id)
{
    if (f->nbyid == 0)
        return NULL;
    for (size_t i = id_hash(id) & (f->nbyid - 1); f->byid[i] != NULL;
         i = (i + 1) & (f->nbyid - 1))
        if (!f->byid[i]->purged && strcmp(sub_id(f->byid[i]), id) == 0)
            return f->byid[i];
    return NULL;
}

static int
by_creation(const void *va, const void *vb)
{
    const struct sc_sub *const *pa = va, *const *pb = vb;
    const struct sc_rev *a = (*pa)->cur != NULL ? (*pa)->cur : (*pa)->pending;
    const struct sc_rev *b = (*pb)->cur != NULL ? (*pb)->cur : (*pb)->pending;

    if (a->created != b->created)
        return a->created < b->created ? -1 : 1;
    return a->rowid < b->rowid ? -1 : a->rowid > b->rowid;
}

void
sc_form_sort(struct sc_form *f)
{
    if (f->unsorted && f->nsubs > 1)
        qsort(f->subs, f->nsubs, sizeof(f->subs[0]), by_creation);
    f->unsorted = false;
}

/* Names of files that the data of one field or below it speaks of. */
static void
expected_in(const struct sc_field *f, struct json_object *o,
            struct json_object *names)
{
    if (o == NULL)
        return;
    if (json_object_is_type(o, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(o); i++)
            expected_in(f, json_object_array_get_idx(o, i), names);
        return;
    }
    for (size_t i = 0; i < f->nkids; i++) {
        struct json_object *v = NULL;

        if (!json_object_object_get_ex(o, f->kids[i]->name, &v) || v == NULL)
            continue;
        if (f->kids[i]->nkids > 0)
            expected_in(f->kids[i], v, names);
        else if (f->kids[i]->type == SC_BINARY)
            json_object_object_add(names, json_object_get_string(v), NULL);
    }
}

/* An object whose keys are the files that the data speaks of. */
struct json_object *
sc_rev_files(const struct sc_rev *r)
{
    struct json_object *names = json_object_new_object();

    if (r->status != NULL) { /* the one file is the encrypted data */
        json_object_object_add(names, "submission.xml.enc", NULL);
        return names;
    }
    char *text = sc_rev_text(r);
    struct json_object *data = odks_json_read(text);
    expected_in(r->made_with->root, data, names);
    json_object_put(data);
    free(text);
    return names;
}

/* attachmentsExpected and -Present of a revision, from data and files. */
void
sc_rev_count_files(struct sc_sub *sub, struct sc_rev *r)
{
    struct json_object *names = sc_rev_files(r);

    r->expected = json_object_object_length(names);
    r->present = r->status != NULL && strcmp(r->status, "notDecrypted") == 0;
    for (size_t i = 0; i < sub->nfiles; i++)
        if (json_object_object_get_ex(names, sub->files[i].name, NULL))
            r->present++;
    json_object_put(names);
}

void
sc_form_free(struct sc_form *f)
{
    for (size_t i = 0; i < f->nsubs; i++) {
        struct sc_sub *sub = f->subs[i];

        sc_rev_unref(sub->cur);
        sc_rev_unref(sub->pending);
        for (size_t k = 0; k < sub->nfiles; k++) {
            free(sub->files[k].name);
            sc_buf_free(&sub->files[k].content);
        }
        free(sub->files);
        free(sub);
    }
    for (size_t i = 0; i < f->nversions; i++)
        sc_version_free(f->versions[i]);
    free(f->versions);
    free(f->subs);
    free(f->byid);
    free(f->bulk_gone);
    free(f->id);
    free(f);
}
