-- returns 1..1 rows of 1 columns, takes 1 parameters
WITH forgotten AS (
    DELETE FROM {schema}.odk_sync_key WHERE sync_type = $1 RETURNING id
)
SELECT clock_timestamp() FROM (SELECT count(*) FROM forgotten) AS n
