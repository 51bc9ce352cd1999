-- returns 1..1 rows of 1 columns, takes 0 parameters
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
