-- returns 1..1 rows of 3 columns, takes 1 parameters
-- How many values of a sync type did not fit, the three most frequent ways in
-- which (no answers among them), and how many rows PostgreSQL refused.
WITH r AS (
    SELECT CASE WHEN path <> '' THEN path || ' (' || reason || ')'
            ELSE reason END AS why, count(*) AS count
    FROM {schema}.odk_sync_reject
    WHERE sync_type = $1 AND NOT kept
    GROUP BY 1
)
SELECT coalesce((SELECT sum(count) FROM r), 0),
    (SELECT string_agg(why, ', ' ORDER BY count DESC, why)
        FROM (SELECT * FROM r ORDER BY count DESC, why LIMIT 3) top),
    (SELECT count(DISTINCT submission_id) FROM {schema}.odk_sync_reject
        WHERE sync_type = $1 AND refused)
