-- returns 0..1 rows of 1 columns, takes 4 parameters
-- $1 id, $2 claim, $3 lease in seconds, $4 how far a walk through everything is
-- or NULL: here it costs no statement of its own
WITH q AS (
    UPDATE {schema}.odk_sync_queue
    SET lease_until = clock_timestamp() + make_interval(secs => $3::integer)
    WHERE id = $1::bigint AND claim_no = $2::bigint AND state = 'running'
    RETURNING sync_type, cancel_requested
), c AS (
    UPDATE {schema}.odk_sync_cursor c SET backfill_progress = $4::jsonb
    FROM q
    WHERE $4::jsonb IS NOT NULL AND c.sync_type = q.sync_type
)
SELECT cancel_requested FROM q
