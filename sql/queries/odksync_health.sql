-- returns 1..1 rows of 1 columns, takes 0 parameters
SELECT {schema}.odk_sync_health()
