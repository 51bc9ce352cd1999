-- returns 0..0 rows of 0 columns, takes 1 parameters
DELETE FROM odk_sync_queue WHERE id = $1::bigint AND state <> 'running'
