-- returns 1..1 rows of 1 columns, takes 1 parameters
-- Runs outside a transaction, and so without our search_path.
SELECT pg_catalog.pg_advisory_unlock(1868851059,
    ($1::bigint OPERATOR(pg_catalog.%) 2147483648)::integer)
