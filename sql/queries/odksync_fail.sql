-- returns 1..1 rows of 2 columns, takes 3 parameters
SELECT txid_current(), {schema}.odk_sync_fail($1::integer, $2::text, $3::text)
