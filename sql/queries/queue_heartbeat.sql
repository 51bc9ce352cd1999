-- returns 0..1 rows of 1 columns, takes 3 parameters
UPDATE odk_sync_queue
SET lease_until = clock_timestamp() + make_interval(secs => $3::integer)
WHERE id = $1::bigint AND claim_no = $2::bigint AND state = 'running'
RETURNING cancel_requested
