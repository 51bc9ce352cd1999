-- returns 0..1 rows of 2 columns, takes 9 parameters
-- The end of an attempt without success. $1 id, $2 claim, $3 outcome: error,
-- abandoned (both count as failures) or interrupted, $4 permanent, $5 message,
-- $6 records, $7 latest, $8 metadata, $9 exit code or NULL.
-- Deleting and inserting again, under the same id, takes in without any race a
-- job of its type that was enqueued meanwhile.
WITH r AS (
    DELETE FROM {schema}.odk_sync_queue
    WHERE id = $1::bigint AND claim_no = $2::bigint AND state = 'running'
    RETURNING *
), next AS (
    SELECT r.*, $3::text <> 'interrupted' AS failed,
        $3::text <> 'interrupted'
            AND ($4::boolean OR r.failures + 1 >= r.max_failures) AS gave_up
    FROM r
    -- a job of odk-sync exec can be done by nobody else
    WHERE NOT r.cancel_requested AND NOT r.payload @> '{"exec": true}'
), i AS (
    INSERT INTO {schema}.odk_sync_queue AS q (id, sync_type, payload, priority, state,
        run_at, slot, failures, max_failures, claim_no, last_error,
        created_at)
    SELECT id, sync_type, payload, priority,
        CASE WHEN gave_up THEN 'dead' ELSE 'pending' END,
        clock_timestamp() + CASE WHEN failed
            THEN least(3600, 15 * 2 ^ least(failures, 20))
                * (0.8 + 0.4 * random())
            ELSE 0 END * interval '1 second',
        slot, failures + failed::integer, max_failures, claim_no,
        CASE WHEN failed THEN left($5::text, 1000) ELSE last_error END,
        created_at
    FROM next
    ON CONFLICT (sync_type) WHERE state IN ('pending', 'dead') DO UPDATE
    SET id = EXCLUDED.id,
        claim_no = greatest(q.claim_no, EXCLUDED.claim_no),
        created_at = EXCLUDED.created_at,
        state = CASE WHEN EXCLUDED.state = 'dead' THEN q.state
            ELSE 'pending' END,
        run_at = CASE WHEN EXCLUDED.state = 'dead' THEN q.run_at
            ELSE least(q.run_at, EXCLUDED.run_at) END,
        failures = CASE WHEN EXCLUDED.state = 'dead' THEN q.failures
            ELSE greatest(q.failures, EXCLUDED.failures) END,
        priority = least(q.priority, EXCLUDED.priority),
        payload = {schema}.odk_sync_payload_merge(q.payload, EXCLUDED.payload),
        last_error = coalesce(EXCLUDED.last_error, q.last_error)
    RETURNING q.state
), p AS MATERIALIZED (
    -- who abandoned it may have closed the history row, or a person did
    SELECT r.sync_type, {schema}.odk_sync_progress(r.history_id, $6::integer,
        $7::timestamptz, coalesce($8::jsonb, '{}') || jsonb_build_object(
            'outcome', CASE WHEN r.cancel_requested THEN 'cancelled'
                ELSE $3::text END,
            'exit_code', $9::integer)) AS history_id
    FROM r
    WHERE $3::text <> 'abandoned' OR EXISTS (
        SELECT FROM {schema}.odk_sync_history h
        WHERE h.id = r.history_id AND h.status = 'in_progress')
)
SELECT coalesce(i.state = 'dead', false) AS dead,
    CASE WHEN p.history_id IS NULL THEN ''
        WHEN $3::text = 'interrupted' THEN
            {schema}.odk_sync_interrupt(p.history_id, p.sync_type::text, $5::text)::text
        ELSE {schema}.odk_sync_fail(p.history_id, p.sync_type::text, $5::text)::text
    END AS closed
FROM r
LEFT JOIN p ON true
LEFT JOIN i ON true
