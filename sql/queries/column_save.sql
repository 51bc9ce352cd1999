-- returns 0..0 rows of 0 columns, takes 7 parameters
INSERT INTO {schema}.odk_sync_column AS c (central, project, form, source, odata, path,
    odk_type, part, table_schema, table_name, column_name, pg_type,
    first_version, last_version, of_form)
SELECT $1, $2, $3, $4, s.odata, s.path, s.odk_type, s.part, $5, s.table_name,
    s.column_name, s.pg_type, $6, $6, true
FROM jsonb_to_recordset($7) AS s (odata text, path text, odk_type text,
    part text, table_name text, column_name text, pg_type text)
ON CONFLICT (central, project, source, form, odata, path, odk_type, part)
DO UPDATE SET retired_at = NULL, last_version = excluded.last_version,
    pg_type = coalesce(nullif(excluded.pg_type, ''), c.pg_type)
WHERE c.retired_at IS NOT NULL
    OR c.last_version IS DISTINCT FROM excluded.last_version
    OR excluded.pg_type NOT IN ('', c.pg_type)
