-- returns 0..* rows of 14 columns, takes 4 parameters
SELECT c.odata, c.path, c.odk_type, c.part, c.table_schema, c.table_name,
    c.column_name, coalesce(c.last_version, ''), c.retired_at IS NOT NULL,
    CASE WHEN c.column_name = '' THEN t.oid ELSE a.attrelid END IS NOT NULL,
    coalesce(t.relnatts, 0),
    coalesce(pg_catalog.format_type(a.atttypid, a.atttypmod), c.pg_type),
    coalesce(c.privacy, ''), a.atttypid
FROM {schema}.odk_sync_column c
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = c.table_schema::name
LEFT JOIN pg_catalog.pg_class t
    ON t.relnamespace = n.oid AND t.relname = c.table_name::name
LEFT JOIN pg_catalog.pg_attribute a
    ON a.attrelid = t.oid AND a.attname = c.column_name::name
    AND NOT a.attisdropped
WHERE c.central = $1 AND c.project = $2 AND c.form = $3
    AND c.source = $4
ORDER BY c.odata COLLATE "C", c.path COLLATE "C", c.odk_type COLLATE "C",
    c.part COLLATE "C"
