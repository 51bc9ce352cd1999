-- returns 0..* rows of 1 columns, takes 3 parameters
-- The next $3 submissions of a sync type behind $2 with a value that did not
-- fit.
SELECT DISTINCT submission_id
FROM odk_sync_reject
WHERE sync_type = $1 AND NOT kept AND submission_id > $2::text
ORDER BY submission_id
LIMIT $3::integer
