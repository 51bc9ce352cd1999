-- returns 0..0 rows of 0 columns, takes 14 parameters
INSERT INTO {schema}.odk_sync_cursor (sync_type, form_hash, watermark, etag,
    backfill_started, backfill_position, backfill_job, last_reconcile, counts,
    etag_key, etag_compared, etag_empty, etag_held, backfill_progress)
VALUES ($1::text, $2::text, $3::timestamptz, $4::text, $5::timestamptz,
    $6::timestamptz, $7::bigint, $8::timestamptz, $9::jsonb, $10::text,
    $11::boolean, $12::bigint, $13::bigint, $14::jsonb)
ON CONFLICT (sync_type) DO UPDATE
SET form_hash = EXCLUDED.form_hash,
    watermark = EXCLUDED.watermark,
    etag = EXCLUDED.etag,
    backfill_started = EXCLUDED.backfill_started,
    backfill_position = EXCLUDED.backfill_position,
    backfill_job = EXCLUDED.backfill_job,
    last_reconcile = EXCLUDED.last_reconcile,
    counts = EXCLUDED.counts,
    etag_key = EXCLUDED.etag_key,
    etag_compared = EXCLUDED.etag_compared,
    etag_empty = EXCLUDED.etag_empty,
    etag_held = EXCLUDED.etag_held,
    backfill_progress = EXCLUDED.backfill_progress,
    updated_at = clock_timestamp()
