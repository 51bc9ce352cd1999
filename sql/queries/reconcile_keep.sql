-- returns 1..1 rows of 1 columns, takes 0 parameters
WITH kept AS (
    INSERT INTO odk_sync_key (sync_type, id, submitted_at, updated_at,
        deleted_at, review_state)
    SELECT sync_type, id, submitted_at, updated_at, deleted_at, review_state
    FROM pg_temp.odks_stage_key
    ON CONFLICT (sync_type, id) DO NOTHING
    RETURNING id
)
SELECT count(*) FROM kept
