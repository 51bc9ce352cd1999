-- returns 1..1 rows of 1 columns, takes 3 parameters
-- Submissions from before $3 that are not in table $2 at all.
SELECT count(DISTINCT submission_id)
FROM {schema}.odk_sync_reject
WHERE sync_type = $1 AND table_name = $2 AND submitted_at < $3::timestamptz
