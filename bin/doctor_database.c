/* bin/doctor_database.c - SPDX-License-Identifier: Apache-2.0 */
/* The database: connection, tracking tables, rights, clock. */
#include <config.h>

#include <string.h>

#include "bin/doctor.h"
#include "core/json.h"
#include "core/utf8.h"
#include "db/migrate.h"
#include "run/instance.h"
#include "sql/queries.h"
#include "track/track.h"

enum { CODE, MESSAGE, FIX }; /* columns of doctor_database.sql */

static struct json_object *
list_schemas(const struct odks_config *cfg)
{
    struct json_object *list = json_object_new_array();
    const char *schema = odks_config_database(cfg)->schema;

    (void) json_object_array_add(list, json_object_new_string(schema));
    for (size_t i = 0; i < odks_config_job_count(cfg); i++) {
        schema = odks_config_job(cfg, i)->schema;
        (void) json_object_array_add(list, json_object_new_string(schema));
    }
    return list;
}

/* All that a run would be refused for, with the statements that help. */
static void
check_rights(struct odks_doctor *d, struct odks_err *err)
{
    CLEANUP_JSON struct json_object *schemas = list_schemas(d->c.cfg);
    const char *const params[] = {
        odks_config_database(d->c.cfg)->tracking_schema,
        json_object_get_string(schemas)
    };
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(d->c.db, &odks_sql_doctor_database, params, err);
    if (res == NULL) {
        odks_doctor_fail(d, "rights", err);
        return;
    }
    for (int row = 0; row < PQntuples(res); row++) {
        int code = (int) odks_db_int64(res, row, CODE);

        odks_doctor_found(d, "rights", code, odks_db_text(res, row, MESSAGE),
                          odks_db_text(res, row, FIX));
        d->lacks_rights |= code > 0;
    }
}

static void
check_creators(struct odks_doctor *d, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(d->c.db, &odks_sql_schema_creators, NULL, err);

    if (res == NULL) {
        odks_doctor_fail(d, "rights", err);
        return;
    }
    for (int row = 0; row < PQntuples(res); row++)
        odks_doctor_warn(d, "rights", odks_db_text(res, row, 0),
                         odks_db_text(res, row, 1));
}

static void
check_postgis(struct odks_doctor *d, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(d->c.db, &odks_sql_table_postgis, NULL, err);

    if (res == NULL)
        odks_doctor_fail(d, "postgis", err);
    else if (PQntuples(res) > 0)
        odks_doctor_good(d, "postgis", "it is installed, and used");
}

static void
check_old_service(struct odks_doctor *d, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res = odks_track_old_service(d->c.db, err);
    char message[200];

    if (res == NULL) {
        odks_doctor_fail(d, "tables", err);
        return;
    }
    if (PQntuples(res) == 0)
        return;
    odks_utf8_format(message, sizeof(message),
                     "the old service still runs: %s wrote history at %s",
                     odks_db_text(res, 0, ODKS_OLD_SERVICE_INSTANCE),
                     odks_db_text(res, 0, ODKS_OLD_SERVICE_WROTE));
    odks_doctor_warn(
        d, "tables", message,
        "Stop it when odk-sync does its work; until then both may run.");
}

static void
check_clock_of_database(struct odks_doctor *d, struct odks_err *err)
{
    CLEANUP_PGRESULT PGresult *res =
        odks_db_query(d->c.db, &odks_sql_server_now, NULL, err);

    if (res == NULL)
        odks_doctor_fail(d, "clock", err);
    else
        d->db_now = odks_db_int64(res, 0, 0);
}

void
odks_doctor_database(struct odks_doctor *d, struct odks_err *err)
{
    odks_instance(d->c.instance);
    odks_doctor_wait(d, "connecting to the database");
    if (!odks_config_db_conf(d->c.cfg, d->c.instance, &d->c.conf, err)
        || !odks_db_connect(&d->c.conf, &d->c.db, err)
        || !odks_db_begin(d->c.db, err)) {
        odks_doctor_fail(d, "database", err);
        return;
    }
    odks_doctor_good(
        d, "database", "connected%s",
        odks_db_pooled(d->c.db)
            ? " through a pooler: a crashed run is noticed when its lease "
              "ends, not at once"
            : "");
    check_clock_of_database(d, err);
    check_rights(d, err);
    check_creators(d, err);
    odks_db_rollback(d->c.db);
    if (!odks_db_begin(d->c.db, err) || !odks_migrate_check(d->c.db, err)) {
        odks_doctor_fail(d, "tables", err);
        odks_db_rollback(d->c.db);
        return;
    }
    odks_doctor_good(d, "tables", "the tracking tables are of this version");
    d->has_tables = true;
    check_postgis(d, err);
    if (d->worst == ODKS_EXIT_OK)
        check_old_service(d, err);
}
