-- returns 0..0 rows of 0 columns, takes 5 parameters
INSERT INTO odk_sync_view (central, project, form, odata, kind, key,
    view_schema, view_name)
SELECT $1, $2, $3, s.odata, s.kind, s.key, $4, s.view_name
FROM jsonb_to_recordset($5) AS s (odata text, kind text, key text,
    view_name text)
