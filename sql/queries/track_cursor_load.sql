-- returns 0..1 rows of 13 columns, takes 1 parameters
SELECT form_hash,
    (extract(epoch FROM watermark) * 1000000)::bigint AS watermark,
    etag,
    (extract(epoch FROM backfill_started) * 1000000)::bigint
        AS backfill_started,
    (extract(epoch FROM backfill_position) * 1000000)::bigint
        AS backfill_position,
    backfill_job,
    (extract(epoch FROM last_reconcile) * 1000000)::bigint AS last_reconcile,
    counts, etag_key, etag_compared, etag_empty, etag_held,
    backfill_progress
FROM {schema}.odk_sync_cursor
WHERE sync_type = $1::text
