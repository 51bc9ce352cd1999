-- returns 0..* rows of 1 columns, takes 2 parameters
-- $1 id or NULL, $2 sync type or NULL
UPDATE {schema}.odk_sync_queue SET cancel_requested = true
WHERE id = $1::bigint OR sync_type = $2::text
RETURNING state = 'running' AS running
