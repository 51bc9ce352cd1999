-- returns 1..1 rows of 1 columns, takes 4 parameters
SELECT {schema}.odk_sync_set_last_sync_time($1::timestamptz, $2::text, $3::boolean,
    $4::jsonb)
