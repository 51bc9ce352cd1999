-- returns 1..1 rows of 1 columns, takes 1 parameters
SELECT count(DISTINCT submission_id)
FROM {schema}.odk_sync_reject
WHERE sync_type = $1 AND NOT kept
