-- returns 0..* rows of 1 columns, takes 1 parameters
-- $1 a JSON object: for each sync type the digest of its settings. What failed
-- with other settings than these is due now. An idle run writes nothing.
WITH given AS (
    SELECT key AS sync_type, value AS settings FROM jsonb_each_text($1::jsonb)
), changed AS MATERIALIZED (
    SELECT g.sync_type, g.settings, s.settings IS NOT NULL AS known
    FROM given g
    LEFT JOIN {schema}.odk_sync_slot s ON s.sync_type = g.sync_type
    WHERE s.settings IS DISTINCT FROM g.settings
), stored AS (
    INSERT INTO {schema}.odk_sync_slot AS s (sync_type, settings)
    SELECT sync_type, settings FROM changed
    ON CONFLICT (sync_type) DO UPDATE SET settings = EXCLUDED.settings
)
UPDATE {schema}.odk_sync_queue q
SET state = 'pending', failures = 0, run_at = clock_timestamp()
FROM changed c
WHERE c.known AND q.sync_type = c.sync_type
    AND (q.state = 'dead' OR (q.state = 'pending' AND q.failures > 0))
RETURNING q.sync_type
