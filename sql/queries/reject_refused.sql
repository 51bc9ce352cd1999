-- returns 1..1 rows of 2 columns, takes 2 parameters
-- How many submissions of a sync type did PostgreSQL refuse; or, with an id as
-- $2, did it refuse that one? And is one of them stored without an answer?
SELECT count(DISTINCT submission_id),
    coalesce(bool_or(starts_with(reason, 'refused: ')), false)
FROM {schema}.odk_sync_reject
WHERE sync_type = $1 AND refused
    AND ($2::text IS NULL OR submission_id = $2::text)
