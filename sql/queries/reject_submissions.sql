-- returns 0..* rows of 1 columns, takes 4 parameters
-- The next $3 submissions of a sync type after $2 to be read again: those that
-- PostgreSQL refused and, unless $4, those with a value that did not fit.
SELECT DISTINCT submission_id
FROM {schema}.odk_sync_reject
WHERE sync_type = $1 AND NOT kept AND submission_id > $2::text
    AND CASE WHEN $4::boolean OR submitted_at IS NOT NULL THEN refused
        ELSE true END
ORDER BY submission_id
LIMIT $3::integer
