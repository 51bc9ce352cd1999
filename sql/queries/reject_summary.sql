-- returns 1..1 rows of 2 columns, takes 1 parameters
-- How many values of a sync type did not fit, and the three most frequent ways
-- in which: no answers among them.
WITH r AS (
    SELECT path || ' (' || reason || ')' AS why, count(*) AS count
    FROM odk_sync_reject
    WHERE sync_type = $1 AND NOT kept
    GROUP BY 1
)
SELECT coalesce((SELECT sum(count) FROM r), 0),
    (SELECT string_agg(why, ', ' ORDER BY count DESC, why)
        FROM (SELECT * FROM r ORDER BY count DESC, why LIMIT 3) top)
