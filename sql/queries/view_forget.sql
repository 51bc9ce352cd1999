-- returns 0..0 rows of 0 columns, takes 4 parameters
WITH gone AS (
    UPDATE {schema}.odk_sync_view v SET digest = NULL, comment_digest = NULL
    WHERE v.central = $1 AND v.project = $2 AND v.form = $3
        AND v.source = $4
        AND v.kind <> 'table' AND v.digest IS NOT NULL
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = v.view_schema::name
                AND c.relname = v.view_name::name AND c.relkind = 'v')
    RETURNING 1)
UPDATE {schema}.odk_sync_form SET digest = NULL
WHERE central = $1 AND project = $2 AND form = $3 AND source = $4
    AND EXISTS (SELECT FROM gone)
