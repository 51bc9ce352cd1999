-- returns 0..* rows of 6 columns, takes 1 parameters
-- Why the sync types of $1, a JSON array, are not run now: one that runs
-- elsewhere, is paused, gave up or failed and waits. The time when a job gave
-- up is that of its last attempt.
WITH given AS (
    SELECT value AS sync_type FROM jsonb_array_elements_text($1::jsonb)
)
SELECT g.sync_type,
    CASE WHEN r.id IS NOT NULL THEN 'running'
        WHEN p.paused_at IS NOT NULL THEN 'paused'
        WHEN w.state = 'dead' THEN 'dead'
        ELSE 'failed' END AS state,
    to_char(CASE WHEN r.id IS NOT NULL THEN r.claimed_at
        WHEN p.paused_at IS NOT NULL THEN p.paused_at
        WHEN w.state = 'dead' THEN h.ended
        ELSE w.run_at END, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at,
    r.claimed_by,
    w.failures,
    w.last_error
FROM given g
LEFT JOIN {schema}.odk_sync_queue r
    ON r.sync_type = g.sync_type AND r.state = 'running'
LEFT JOIN {schema}.odk_sync_queue w
    ON w.sync_type = g.sync_type AND w.state IN ('pending', 'dead')
LEFT JOIN {schema}.odk_sync_slot p ON p.sync_type = g.sync_type
LEFT JOIN LATERAL (
    SELECT a.sync_timestamp + make_interval(secs => coalesce(
        a.duration_seconds, 0)) AS ended
    FROM {schema}.odk_sync_history a
    WHERE a.sync_type = g.sync_type AND a.status = 'error'
    ORDER BY a.sync_timestamp DESC
    LIMIT 1
) h ON w.state = 'dead'
WHERE r.id IS NOT NULL OR p.paused_at IS NOT NULL OR w.state = 'dead'
    OR (w.state = 'pending' AND w.failures > 0)
ORDER BY g.sync_type
