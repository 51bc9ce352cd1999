-- returns 1..1 rows of 2 columns, takes 2 parameters
SELECT txid_current(), {schema}.odk_sync_start($1::text, $2::text)
