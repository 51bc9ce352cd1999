-- returns 1..1 rows of 1 columns, takes 0 parameters
SELECT current_setting('odk_sync.rows')::bigint
