-- returns 0..0 rows of 0 columns, takes 2 parameters
-- Somebody held the advisory lock of the job that was just claimed.
UPDATE {schema}.odk_sync_queue SET direct = false
WHERE id = $1::bigint AND claim_no = $2::bigint AND state = 'running'
