-- returns 0..* rows of 13 columns, takes 5 parameters
-- What the registry knows of a form, in the order of its tables, and the
-- privacy rules $5 of the job; behind the eighth column for programs.
SELECT c.table_name AS table,
    nullif(c.column_name, '') AS column,
    nullif(coalesce(pg_catalog.format_type(a.atttypid, a.atttypmod),
        c.pg_type), '') AS type,
    CASE WHEN c.odk_type = 'table' THEN c.odata
        WHEN c.path <> '' THEN c.path END AS path,
    c.odk_type || CASE WHEN c.part <> '' THEN ', ' || c.part ELSE '' END
        AS of,
    coalesce(c.first_version, '')
        || CASE WHEN c.last_version IS DISTINCT FROM c.first_version
            THEN ' to ' || coalesce(c.last_version, '') ELSE '' END
        AS version,
    CASE WHEN c.retired_at IS NOT NULL THEN 'out of use'
        WHEN c.column_name <> '' AND a.attnum IS NULL THEN 'gone'
        ELSE 'in use' END AS state,
    (SELECT min(r.rule)
        FROM jsonb_to_recordset($5::jsonb) AS r (name text, rule text)
        WHERE CASE WHEN starts_with(r.name, '/')
            THEN starts_with(p.path || '/', r.name || '/')
            ELSE strpos(p.path || '/', '/' || r.name || '/') > 0 END) AS rule,
    c.table_schema AS schema, c.odata, c.first_version, c.last_version,
    to_char(c.retired_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS retired_at
FROM {schema}.odk_sync_column c
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = c.table_schema::name
LEFT JOIN pg_catalog.pg_class t
    ON t.relnamespace = n.oid AND t.relname = c.table_name::name
LEFT JOIN pg_catalog.pg_attribute a
    ON a.attrelid = t.oid AND a.attname = c.column_name::name
    AND NOT a.attisdropped
CROSS JOIN LATERAL (SELECT CASE WHEN c.odk_type <> 'table'
    THEN c.path
    WHEN strpos(c.odata, '/') > 0 THEN substr(c.odata, strpos(c.odata, '/'))
    WHEN strpos(c.odata, '.') > 0
    THEN replace(substr(c.odata, strpos(c.odata, '.')), '.', '/')
    ELSE '' END AS path) p
WHERE c.central = $1 AND c.project = $2 AND c.form = $3
    AND c.source = $4
ORDER BY c.odata COLLATE "C", c.column_name <> '', a.attnum NULLS LAST,
    c.column_name COLLATE "C"
