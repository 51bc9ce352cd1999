-- returns 0..1 rows of 1 columns, takes 1 parameters
UPDATE odk_sync_queue
SET state = 'pending', failures = 0, run_at = clock_timestamp()
WHERE id = $1::bigint AND state <> 'running'
RETURNING id
