-- returns 0..0 rows of 0 columns, takes 5 parameters
UPDATE {schema}.odk_sync_column c SET privacy = nullif(s.privacy, '')
FROM jsonb_to_recordset($5) AS s (odata text, privacy text)
WHERE c.central = $1 AND c.project = $2 AND c.form = $3 AND c.source = $4
    AND c.odk_type = 'table' AND c.odata = s.odata
