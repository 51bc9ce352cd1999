-- returns 0..1 rows of 1 columns, takes 1 parameters
SELECT id FROM {schema}.odk_sync_queue
WHERE sync_type = $1::text AND state <> 'running'
ORDER BY id
LIMIT 1
