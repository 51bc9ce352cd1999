-- returns 1..1 rows of 1 columns, takes 1 parameters
-- committed, aborted or 'in progress'; NULL: too long ago
SELECT txid_status($1::bigint)
