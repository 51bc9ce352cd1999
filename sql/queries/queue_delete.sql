-- returns 0..0 rows of 0 columns, takes 2 parameters
-- $1 id or NULL, $2 sync type or NULL
DELETE FROM {schema}.odk_sync_queue
WHERE (id = $1::bigint OR sync_type = $2::text) AND state <> 'running'
