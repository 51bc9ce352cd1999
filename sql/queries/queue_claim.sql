-- returns 0..1 rows of 14 columns, takes 4 parameters
-- $1 JSON object of sync types: may the claim end with the session of its
-- owner?; $2 instance, $3 lease in seconds, $4 direct: is there such a session?
-- MATERIALIZED: else the planner may pick and lock more rows than it updates.
-- The advisory lock is taken behind the unique index, in RETURNING, and so
-- before anybody else can see the row as running.
WITH c AS MATERIALIZED (
    SELECT q.id, q.sync_type
    FROM {schema}.odk_sync_queue q
    WHERE q.state = 'pending'
        AND q.run_at <= clock_timestamp()
        AND $1::jsonb ? q.sync_type
        AND NOT EXISTS (SELECT FROM {schema}.odk_sync_queue r
            WHERE r.state = 'running' AND r.sync_type = q.sync_type)
        AND NOT EXISTS (SELECT FROM {schema}.odk_sync_slot s
            WHERE s.paused_at IS NOT NULL AND s.sync_type = q.sync_type)
    ORDER BY q.priority, q.run_at, q.id
    LIMIT 1
    FOR UPDATE OF q SKIP LOCKED
), h AS MATERIALIZED (
    SELECT c.id, {schema}.odk_sync_start(c.sync_type::text, $2::text) AS history_id
    FROM c
)
UPDATE {schema}.odk_sync_queue q
SET state = 'running',
    claim_no = q.claim_no + 1,
    claimed_by = $2::text,
    claimed_at = clock_timestamp(),
    lease_until = clock_timestamp() + make_interval(secs => $3::integer),
    direct = $4::boolean AND ($1::jsonb->>q.sync_type)::boolean,
    history_id = h.history_id
FROM h
WHERE q.id = h.id
RETURNING q.id, q.claim_no,
    {schema}.odk_sync_progress(q.history_id, NULL::integer,
        NULL::timestamptz, jsonb_build_object(
        'job_id', q.id, 'claim_no', q.claim_no)) AS history_id,
    q.sync_type, q.failures, q.max_failures,
    (extract(epoch FROM q.slot) * 1000000)::bigint AS slot,
    q.payload @> '{"full": true}' AS "full",
    (extract(epoch FROM (q.payload->>'since')::timestamptz)
        * 1000000)::bigint AS since,
    (extract(epoch FROM (q.payload->>'until')::timestamptz)
        * 1000000)::bigint AS until,
    q.payload @> '{"allow_mass_delete": true}' AS allow_mass_delete,
    q.payload @> '{"reconcile": true}' AS reconcile,
    q.payload @> '{"rejects": true}' AS rejects,
    CASE WHEN q.direct THEN pg_try_advisory_lock(1868851059,
        (q.id % 2147483648)::integer) END AS locked
