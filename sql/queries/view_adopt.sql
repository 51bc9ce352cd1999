-- returns 0..0 rows of 0 columns, takes 4 parameters
INSERT INTO {schema}.odk_sync_view (central, project, form, source, odata, kind,
    view_schema, view_name)
SELECT c.central, c.project, c.form, c.source, c.odata, k.kind, c.table_schema,
    k.prefix || c.table_name
FROM {schema}.odk_sync_column c
CROSS JOIN (VALUES ('table', ''), ('live', 'v_')) AS k (kind, prefix)
WHERE c.central = $1 AND c.project = $2 AND c.form = $3 AND c.source = $4
    AND c.odk_type = 'table'
ON CONFLICT DO NOTHING
