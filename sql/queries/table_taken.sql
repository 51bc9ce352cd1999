-- returns 0..* rows of 2 columns, takes 5 parameters
-- Names in schema $1 that form or dataset $2 to $5 cannot give to a new table:
-- true for those that odk-sync uses otherwise: for another form, even if nothing
-- bears the name now, for an index of a mirrored table, or for itself.
SELECT c.table_name AS name, true AS is_given
FROM {schema}.odk_sync_column c
WHERE c.odk_type = 'table' AND c.table_schema = $1
    AND (c.central, c.project, c.form, c.source)
        IS DISTINCT FROM ($2::text, $3::bigint, $4::text, $5::text)
UNION
SELECT v.view_name, true
FROM {schema}.odk_sync_view v
WHERE v.view_schema = $1
    AND (v.central, v.project, v.form, v.source)
        IS DISTINCT FROM ($2::text, $3::bigint, $4::text, $5::text)
UNION
SELECT c.relname::text,
    c.relname ^@ 'odk_sync_'
    OR EXISTS (
        SELECT FROM pg_catalog.pg_index x
        JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
        JOIN {schema}.odk_sync_column r ON r.table_name = t.relname
        WHERE x.indexrelid = c.oid
            AND r.odk_type = 'table' AND r.table_schema = $1)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1::name
