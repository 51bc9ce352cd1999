-- returns 1..1 rows of 3 columns, takes 1 parameters
SELECT (extract(epoch FROM {schema}.odk_sync_get_last_sync_time($1::text))
        * 1000000)::bigint AS last_sync_timestamp,
    EXISTS (SELECT FROM {schema}.odk_sync_status WHERE sync_type = $1::text) AS known,
    (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now
