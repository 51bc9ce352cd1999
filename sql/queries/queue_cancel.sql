-- returns 0..1 rows of 1 columns, takes 1 parameters
UPDATE odk_sync_queue SET cancel_requested = true WHERE id = $1::bigint
RETURNING state = 'running' AS running
