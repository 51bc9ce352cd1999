-- returns 0..0 rows of 0 columns, takes 5 parameters
UPDATE {schema}.odk_sync_view v
SET digest = coalesce(s.digest, v.digest),
    columns = coalesce(s.columns, v.columns),
    comment_digest = coalesce(s.comment_digest, v.comment_digest)
FROM jsonb_to_recordset($5) AS s (odata text, kind text, key text,
    digest text, columns jsonb, comment_digest text)
WHERE v.central = $1 AND v.project = $2 AND v.form = $3
    AND v.source = $4
    AND v.odata = s.odata AND v.kind = s.kind AND v.key = s.key
