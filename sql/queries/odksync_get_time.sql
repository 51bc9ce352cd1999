-- returns 1..1 rows of 1 columns, takes 1 parameters
SELECT (extract(epoch FROM {schema}.odk_sync_get_last_sync_time($1::text)) * 1000000)::bigint
