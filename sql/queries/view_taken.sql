-- returns 0..* rows of 1 columns, takes 1 parameters
SELECT c.relname::text
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname ^@ 'v_'
UNION
SELECT view_name FROM {schema}.odk_sync_view WHERE view_schema = $1
