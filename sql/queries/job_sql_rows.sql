-- returns 1..1 rows of 1 columns, takes 0 parameters
-- Whatever search_path the SQL of the job has set.
SELECT pg_catalog.current_setting('odk_sync.rows')::pg_catalog.int8
