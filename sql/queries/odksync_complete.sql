-- returns 1..1 rows of 2 columns, takes 5 parameters
SELECT txid_current(),
    {schema}.odk_sync_complete($1::integer, $2::text, $3::integer, $4::timestamptz,
        $5::jsonb)
