-- returns 0..0 rows of 0 columns, takes 6 parameters
INSERT INTO {schema}.odk_sync_view (central, project, form, source, odata, kind, key,
    view_schema, view_name)
SELECT $1, $2, $3, $4, s.odata, s.kind, s.key, $5, s.view_name
FROM jsonb_to_recordset($6) AS s (odata text, kind text, key text,
    view_name text)
