-- returns 0..0 rows of 0 columns, takes 3 parameters
INSERT INTO {schema}.odk_sync_schema_log (sync_type, table_name, change, detail,
    form_version)
SELECT $1, s.table_name, s.change, s.detail, $2
FROM jsonb_to_recordset($3) AS s (table_name text, change text, detail text)
