-- returns 0..1 rows of 2 columns, takes 6 parameters
-- $1 sync type, $2 run at, $3 priority, $4 max failures, $5 payload, $6 slot or
-- NULL. The slot is a compare-and-swap: only forward, and not while paused; the
-- read in front keeps an idle run from writing.
WITH s AS (
    INSERT INTO {schema}.odk_sync_slot AS s (sync_type, slot)
    SELECT $1::text, $6::timestamptz
    WHERE $6::timestamptz IS NOT NULL
        AND NOT EXISTS (SELECT FROM {schema}.odk_sync_slot u
            WHERE u.sync_type = $1::text
                AND (u.slot >= $6::timestamptz OR u.paused_at IS NOT NULL))
    ON CONFLICT (sync_type) DO UPDATE SET slot = EXCLUDED.slot
    WHERE s.paused_at IS NULL
        AND (s.slot IS NULL OR s.slot < EXCLUDED.slot)
    RETURNING s.slot
)
INSERT INTO {schema}.odk_sync_queue AS q (sync_type, run_at, priority, max_failures,
    payload, slot)
SELECT $1::text, coalesce($2::timestamptz, clock_timestamp()), $3::smallint,
    $4::integer, $5::jsonb, $6::timestamptz
WHERE $6::timestamptz IS NULL OR EXISTS (SELECT FROM s)
ON CONFLICT (sync_type) WHERE state IN ('pending', 'dead') DO UPDATE
SET state = 'pending',
    -- a slot does not cut the back-off of a failed job short
    run_at = CASE WHEN q.state = 'dead' THEN EXCLUDED.run_at
        WHEN EXCLUDED.slot IS NOT NULL AND q.failures > 0 THEN q.run_at
        ELSE least(q.run_at, EXCLUDED.run_at) END,
    failures = CASE WHEN q.state = 'dead' THEN 0 ELSE q.failures END,
    priority = least(q.priority, EXCLUDED.priority),
    max_failures = EXCLUDED.max_failures,
    payload = {schema}.odk_sync_payload_merge(q.payload, EXCLUDED.payload),
    slot = coalesce(EXCLUDED.slot, q.slot)
RETURNING q.id, q.xmax = 0 AS new -- of a row just made nobody is the updater
