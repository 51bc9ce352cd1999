-- returns 0..0 rows of 0 columns, takes 2 parameters
INSERT INTO {schema}.odk_sync_slot AS s (sync_type, paused_at)
VALUES ($1::text, CASE WHEN $2::boolean THEN clock_timestamp() END)
ON CONFLICT (sync_type) DO UPDATE
SET paused_at = CASE WHEN $2::boolean
    THEN coalesce(s.paused_at, EXCLUDED.paused_at) END
