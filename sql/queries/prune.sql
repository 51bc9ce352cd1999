-- returns 1..1 rows of 1 columns, takes 1 parameters
SELECT {schema}.odk_sync_prune($1::integer)
