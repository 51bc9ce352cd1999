-- returns 0..* rows of 15 columns, takes 0 parameters
SELECT q.id, q.sync_type,
    CASE WHEN q.state = 'running' AND q.cancel_requested THEN 'cancelling'
        WHEN q.state IN ('running', 'dead') THEN q.state
        WHEN p.paused_at IS NOT NULL THEN 'paused'
        WHEN q.run_at <= clock_timestamp() THEN 'due'
        ELSE 'waiting' END AS state,
    to_char(q.run_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS run_at,
    q.priority, q.failures, q.claimed_by, q.last_error, q.max_failures,
    q.payload,
    to_char(q.slot, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS slot,
    to_char(q.created_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created_at,
    to_char(q.claimed_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS claimed_at,
    to_char(q.lease_until, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS lease_until,
    q.claim_no
FROM {schema}.odk_sync_queue q
LEFT JOIN {schema}.odk_sync_slot p ON p.sync_type = q.sync_type
ORDER BY q.state = 'running' DESC, q.state = 'dead', q.priority, q.run_at, q.id
