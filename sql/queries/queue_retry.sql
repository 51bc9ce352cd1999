-- returns 0..* rows of 1 columns, takes 2 parameters
-- $1 id or NULL, $2 sync type or NULL. One that waits for a time of its own is
-- hurried by its id alone.
UPDATE {schema}.odk_sync_queue
SET state = CASE WHEN state = 'timed' THEN state ELSE 'pending' END,
    failures = 0,
    run_at = clock_timestamp()
WHERE (id = $1::bigint AND state <> 'running')
    OR (sync_type = $2::text AND state IN ('pending', 'dead'))
RETURNING id
