-- returns 1..1 rows of 2 columns, takes 2 parameters
SELECT txid_current(), {schema}.odk_sync_set_last_sync_time($2::timestamptz, $1::text,
        false, NULL::jsonb)
