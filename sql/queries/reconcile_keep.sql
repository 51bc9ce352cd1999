-- returns 1..1 rows of 1 columns, takes 0 parameters
-- The staging table is LIKE odk_sync_key.
WITH kept AS (
    INSERT INTO {schema}.odk_sync_key
    SELECT * FROM pg_temp.odks_stage_key
    ON CONFLICT (sync_type, id) DO NOTHING
    RETURNING id
)
SELECT count(*) FROM kept
