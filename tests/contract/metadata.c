/* tests/contract/metadata.c - SPDX-License-Identifier: Apache-2.0 */
/* $metadata: the types of a form, without Central's annotations. */
#include <config.h>

#include <ctype.h>
#include <string.h>

#include "standin.h"

static const char head[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<edmx:Edmx xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\""
    " Version=\"4.0\">\n"
    "  <edmx:DataServices>\n"
    "    <Schema xmlns=\"http://docs.oasis-open.org/odata/ns/edm\""
    " Namespace=\"org.opendatakit.submission\">\n"
    "      <ComplexType Name=\"metadata\">\n"
    "        <Property Name=\"submissionDate\""
    " Type=\"Edm.DateTimeOffset\"/>\n"
    "        <Property Name=\"updatedAt\" Type=\"Edm.DateTimeOffset\"/>\n"
    "        <Property Name=\"deletedAt\" Type=\"Edm.DateTimeOffset\"/>\n"
    "        <Property Name=\"submitterId\" Type=\"Edm.String\"/>\n"
    "        <Property Name=\"submitterName\" Type=\"Edm.String\"/>\n"
    "        <Property Name=\"attachmentsPresent\" Type=\"Edm.Int64\"/>\n"
    "        <Property Name=\"attachmentsExpected\" Type=\"Edm.Int64\"/>\n"
    "        <Property Name=\"status\""
    " Type=\"org.opendatakit.submission.Status\"/>\n"
    "        <Property Name=\"reviewState\""
    " Type=\"org.opendatakit.submission.ReviewState\"/>\n"
    "        <Property Name=\"deviceId\" Type=\"Edm.String\"/>\n"
    "        <Property Name=\"edits\" Type=\"Edm.Int64\"/>\n"
    "        <Property Name=\"formVersion\" Type=\"Edm.String\"/>\n"
    "      </ComplexType>\n"
    "      <EnumType Name=\"Status\">\n"
    "        <Member Name=\"notDecrypted\"/>\n"
    "        <Member Name=\"missingEncryptedFormData\"/>\n"
    "      </EnumType>\n"
    "      <EnumType Name=\"ReviewState\">\n"
    "        <Member Name=\"hasIssues\"/>\n"
    "        <Member Name=\"edited\"/>\n"
    "        <Member Name=\"rejected\"/>\n"
    "        <Member Name=\"approved\"/>\n"
    "      </EnumType>\n"
    "    </Schema>\n";

static const char *
edm(enum sc_type t)
{
    switch (t) {
    case SC_INT:
        return "Edm.Int64";
    case SC_DECIMAL:
        return "Edm.Decimal";
    case SC_BOOLEAN:
        return "Edm.Boolean";
    case SC_DATE:
        return "Edm.Date";
    case SC_DATETIME:
        return "Edm.DateTimeOffset";
    case SC_GEOPOINT:
        return "Edm.GeographyPoint";
    case SC_GEOTRACE:
        return "Edm.GeographyLineString";
    case SC_GEOSHAPE:
        return "Edm.GeographyPolygon";
    default:
        return "Edm.String";
    }
}

/* Location.address: the groups' names from the root on. */
static void
group_path(const struct sc_field *f, struct sc_buf *out)
{
    if (f->parent != NULL && f->parent->parent != NULL) {
        group_path(f->parent, out);
        sc_buf_str(out, ".");
    }
    sc_buf_str(out, f->name);
}

static void
members(const char *ns, const struct sc_field *f, struct sc_buf *out)
{
    for (size_t i = 0; i < f->nkids; i++) {
        const struct sc_field *k = f->kids[i];

        if (k->type == SC_REPEAT) {
            sc_buf_fmt(out,
                       "        <NavigationProperty Name=\"%s\""
                       " Type=\"Collection(%s.",
                       k->name, ns);
            sc_table_path(k, out);
            sc_buf_str(out, ")\"/>\n");
        } else if (k->type == SC_STRUCTURE) {
            sc_buf_fmt(out, "        <Property Name=\"%s\" Type=\"%s.", k->name,
                       ns);
            group_path(k, out);
            sc_buf_str(out, "\"/>\n");
        } else {
            sc_buf_fmt(out, "        <Property Name=\"%s\" Type=\"%s\"/>\n",
                       k->name, edm(k->type));
        }
    }
}

static void
keys(const struct sc_field *f, struct sc_buf *out)
{
    sc_buf_str(out, "        <Key><PropertyRef Name=\"__id\"/></Key>\n"
                    "        <Property Name=\"__id\""
                    " Type=\"Edm.String\"/>\n");
    if (f->parent == NULL) {
        sc_buf_str(out, "        <Property Name=\"__system\""
                        " Type=\"org.opendatakit.submission.metadata\"/>\n");
        return;
    }
    struct sc_buf path = { 0 };
    const struct sc_field *up = f->parent;
    while (up->type != SC_REPEAT)
        up = up->parent;
    sc_parent_key(up, &path);
    sc_buf_fmt(out, "        <Property Name=\"%s\" Type=\"Edm.String\"/>\n",
               path.p);
    sc_buf_free(&path);
}

static void
types(const char *ns, const struct sc_field *f, bool entities,
      struct sc_buf *out)
{
    bool entity = f->type == SC_REPEAT;

    if (entity == entities && (entity || f->type == SC_STRUCTURE)) {
        sc_buf_fmt(out, "      <%s Name=\"",
                   entity ? "EntityType" : "ComplexType");
        if (entity)
            sc_table_path(f, out);
        else
            group_path(f, out);
        sc_buf_str(out, "\">\n");
        if (entity)
            keys(f, out);
        members(ns, f, out);
        sc_buf_fmt(out, "      </%s>\n", entity ? "EntityType" : "ComplexType");
    }
    for (size_t i = 0; i < f->nkids; i++)
        types(ns, f->kids[i], entities, out);
}

static void
sets(const char *ns, const struct sc_field *f, struct sc_buf *out)
{
    if (f->type == SC_REPEAT) {
        sc_buf_str(out, "        <EntitySet Name=\"");
        sc_table_path(f, out);
        sc_buf_fmt(out, "\" EntityType=\"%s.", ns);
        sc_table_path(f, out);
        sc_buf_str(out, "\"/>\n");
    }
    for (size_t i = 0; i < f->nkids; i++)
        sets(ns, f->kids[i], out);
}

void
sc_metadata_xml(const struct sc_form *f, struct sc_buf *out)
{
    const struct sc_field *root = sc_form_current(f)->root;
    struct sc_buf ns = { 0 }, id = { 0 };

    for (const char *c = f->id; *c != '\0'; c++)
        sc_buf_put(&id, isalnum((unsigned char) *c) ? c : "_", 1);
    sc_buf_fmt(&ns, "org.opendatakit.user.%s", id.p);
    sc_buf_str(out, head);
    sc_buf_fmt(out,
               "    <Schema xmlns=\"http://docs.oasis-open.org/odata/ns/"
               "edm\" Namespace=\"%s\">\n",
               ns.p);
    types(ns.p, root, true, out);
    types(ns.p, root, false, out);
    sc_buf_fmt(out, "      <EntityContainer Name=\"%s\">\n", id.p);
    sets(ns.p, root, out);
    sc_buf_str(out, "      </EntityContainer>\n    </Schema>\n"
                    "  </edmx:DataServices>\n</edmx:Edmx>\n");
    sc_buf_free(&ns);
    sc_buf_free(&id);
}
