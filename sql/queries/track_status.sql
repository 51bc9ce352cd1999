-- returns 0..* rows of 33 columns, takes 0 parameters
WITH known AS (
    SELECT sync_type FROM {schema}.odk_sync_status
    UNION SELECT sync_type FROM {schema}.odk_sync_queue
    UNION SELECT sync_type FROM {schema}.odk_sync_cursor
    UNION SELECT sync_type FROM {schema}.odk_sync_slot
        WHERE slot IS NOT NULL OR paused_at IS NOT NULL
)
SELECT known.sync_type,
    coalesce(s.last_sync_status, 'pending') AS status,
    to_char(h.sync_timestamp, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS last_success,
    (c.counts->>'table')::bigint AS submissions,
    (c.counts->>'central')::bigint AS central,
    (SELECT count(*) FROM {schema}.odk_sync_reject j
        WHERE j.sync_type = known.sync_type AND NOT j.kept) AS rejects,
    CASE WHEN r.id IS NOT NULL THEN 'running'
        WHEN w.state = 'dead' THEN 'dead'
        WHEN p.paused_at IS NOT NULL THEN 'paused'
        WHEN w.id IS NOT NULL OR t.run_at IS NOT NULL THEN 'waiting'
        END AS queue,
    to_char(CASE WHEN w.state = 'pending' THEN w.run_at ELSE t.run_at END, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS run_at,
    s.last_error_message AS error,
    to_char(c.watermark, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS watermark,
    s.last_records_processed AS records,
    to_char(s.last_attempt_timestamp, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS last_attempt,
    to_char(s.last_sync_timestamp, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        AS last_sync_timestamp,
    coalesce(s.successful_sync_count, 0) AS successful_sync_count,
    coalesce(s.failed_sync_count, 0) AS failed_sync_count,
    c.counts,
    to_char(c.last_reconcile, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS last_reconcile,
    to_char(c.backfill_started, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        AS backfill_started,
    to_char(c.backfill_position, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        AS backfill_position,
    r.claimed_by,
    to_char(r.lease_until, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS lease_until,
    coalesce(w.failures, r.failures, 0) AS failures,
    to_char(p.slot, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS slot,
    to_char(p.paused_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS paused_at,
    f.waiting AS attachments_waiting,
    f.waiting_files AS attachments_waiting_files,
    f.failed AS attachments_failed,
    f.failed_files AS attachments_failed_files,
    b.done AS backfill_done,
    b.total AS backfill_total,
    floor(b.done * 100.0 / b.total)::integer AS backfill_percent,
    b.rate AS backfill_rate,
    CASE WHEN b.rate > 0
        THEN ceil((b.total - b.done)::numeric / b.rate)::bigint
        END AS backfill_seconds_left
FROM known
LEFT JOIN {schema}.odk_sync_status s ON s.sync_type = known.sync_type
LEFT JOIN {schema}.odk_sync_cursor c ON c.sync_type = known.sync_type
LEFT JOIN {schema}.odk_sync_slot p ON p.sync_type = known.sync_type
LEFT JOIN {schema}.odk_sync_queue r
    ON r.sync_type = known.sync_type AND r.state = 'running'
LEFT JOIN {schema}.odk_sync_queue w
    ON w.sync_type = known.sync_type AND w.state IN ('pending', 'dead')
LEFT JOIN LATERAL (
    SELECT min(a.run_at) AS run_at FROM {schema}.odk_sync_queue a
    WHERE a.sync_type = known.sync_type AND a.state = 'timed'
) t ON true
LEFT JOIN LATERAL (
    SELECT a.sync_timestamp FROM {schema}.odk_sync_history a
    WHERE a.sync_type = known.sync_type AND a.status = 'success'
    ORDER BY a.sync_timestamp DESC
    LIMIT 1
) h ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE a.next_check IS NOT NULL) AS waiting,
        coalesce(sum(a.expected - a.present)
            FILTER (WHERE a.next_check IS NOT NULL), 0) AS waiting_files,
        count(*) FILTER (WHERE a.next_check IS NULL) AS failed,
        coalesce(sum(a.expected - a.present)
            FILTER (WHERE a.next_check IS NULL), 0) AS failed_files
    FROM {schema}.odk_sync_attachment a
    WHERE a.sync_type = known.sync_type
) f ON true
LEFT JOIN LATERAL (
    -- more may have come in than there were in the beginning
    SELECT (c.backfill_progress->>'done')::bigint AS done,
        greatest((c.backfill_progress->>'total')::bigint,
            (c.backfill_progress->>'done')::bigint, 1) AS total,
        CASE WHEN r.id IS NOT NULL
            THEN (c.backfill_progress->>'read')::bigint * 1000
                / nullif((c.backfill_progress->>'ms')::bigint, 0)
            END AS rate
    WHERE c.backfill_started IS NOT NULL
        AND (c.backfill_progress->>'total')::bigint > 0
) b ON true
ORDER BY known.sync_type
