-- returns 1..1 rows of 1 columns, takes 6 parameters
SELECT NOT EXISTS (SELECT FROM {schema}.odk_sync_form f
        WHERE f.sync_type = $1 AND f.digest = $2)
    OR EXISTS (SELECT FROM {schema}.odk_sync_view v
        WHERE v.central = $3 AND v.project = $4 AND v.form = $5
            AND v.source = $6
            AND v.kind <> 'table' AND v.digest IS NOT NULL
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = v.view_schema::name
                    AND c.relname = v.view_name::name AND c.relkind = 'v'))
