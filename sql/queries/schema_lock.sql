-- returns 1..1 rows of 1 columns, takes 0 parameters
-- one at a time in this database, whatever the schema: 'odks'
SELECT pg_advisory_xact_lock(1868851059)
