-- returns 0..* rows of 5 columns, takes 4 parameters
SELECT c.odata, c.table_name, a.attname,
    a.atttypid,
    pg_catalog.col_description(t.oid, a.attnum)
FROM {schema}.odk_sync_column c
JOIN pg_catalog.pg_namespace n ON n.nspname = c.table_schema::name
JOIN pg_catalog.pg_class t
    ON t.relnamespace = n.oid AND t.relname = c.table_name::name
JOIN pg_catalog.pg_attribute a
    ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.central = $1 AND c.project = $2 AND c.form = $3
    AND c.source = $4
    AND c.odk_type = 'table' AND a.attname <> '_raw'
ORDER BY c.odata COLLATE "C", a.attnum
