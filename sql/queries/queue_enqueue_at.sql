-- returns 0..1 rows of 2 columns, takes 5 parameters
-- $1 sync type, $2 time, $3 priority, $4 max failures, $5 payload. No row: that
-- time has come.
INSERT INTO {schema}.odk_sync_queue AS q (sync_type, state, run_at, priority,
    max_failures, payload)
SELECT $1::text, 'timed', $2::timestamptz, $3::smallint, $4::integer,
    $5::jsonb
WHERE $2::timestamptz > clock_timestamp()
ON CONFLICT (sync_type, run_at) WHERE state = 'timed' DO UPDATE
SET priority = least(q.priority, EXCLUDED.priority),
    max_failures = EXCLUDED.max_failures,
    payload = {schema}.odk_sync_payload_merge(q.payload, EXCLUDED.payload)
RETURNING q.id, q.xmax = 0 AS new
