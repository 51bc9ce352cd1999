-- returns 0..1 rows of 1 columns, takes 1 parameters
SELECT status FROM {schema}.odk_sync_history WHERE id = $1::integer
