-- returns 1..1 rows of 1 columns, takes 1 parameters
SELECT pg_advisory_xact_lock(hashtextextended($1, 0))
