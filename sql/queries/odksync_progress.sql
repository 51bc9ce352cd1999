-- returns 1..1 rows of 1 columns, takes 4 parameters
SELECT {schema}.odk_sync_progress($1::integer, $2::integer, $3::timestamptz, $4::jsonb)
