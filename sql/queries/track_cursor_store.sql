-- returns 0..0 rows of 0 columns, takes 9 parameters
INSERT INTO odk_sync_cursor (sync_type, form_hash, watermark, etag,
    backfill_started, backfill_position, backfill_job, last_reconcile, counts)
VALUES ($1::text, $2::text, $3::timestamptz, $4::text, $5::timestamptz,
    $6::timestamptz, $7::bigint, $8::timestamptz, $9::jsonb)
ON CONFLICT (sync_type) DO UPDATE
SET form_hash = EXCLUDED.form_hash,
    watermark = EXCLUDED.watermark,
    etag = EXCLUDED.etag,
    backfill_started = EXCLUDED.backfill_started,
    backfill_position = EXCLUDED.backfill_position,
    backfill_job = EXCLUDED.backfill_job,
    last_reconcile = EXCLUDED.last_reconcile,
    counts = EXCLUDED.counts,
    updated_at = clock_timestamp()
