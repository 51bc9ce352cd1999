-- returns 0..1 rows of 1 columns, takes 5 parameters
-- $1 id, $2 claim, $3 records, $4 latest, $5 metadata
WITH r AS (
    DELETE FROM {schema}.odk_sync_queue
    WHERE id = $1::bigint AND claim_no = $2::bigint AND state = 'running'
    RETURNING history_id, sync_type
)
SELECT {schema}.odk_sync_complete(r.history_id, r.sync_type::text, $3::integer,
    $4::timestamptz,
    coalesce($5::jsonb, '{}') || '{"outcome": "success", "exit_code": 0}')
FROM r
