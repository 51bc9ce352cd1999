-- returns 0..0 rows of 0 columns, takes 5 parameters
UPDATE {schema}.odk_sync_column c SET retired_at = clock_timestamp()
FROM jsonb_to_recordset($5) AS s (odata text, path text, odk_type text)
WHERE c.central = $1 AND c.project = $2 AND c.form = $3
    AND c.source = $4
    AND c.odata = s.odata AND c.path = s.path AND c.odk_type = s.odk_type
    AND c.retired_at IS NULL
