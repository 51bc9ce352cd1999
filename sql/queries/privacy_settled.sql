-- returns 0..0 rows of 0 columns, takes 3 parameters
UPDATE {schema}.odk_sync_column SET privacy = $3
WHERE odk_type = 'table' AND table_schema = $1 AND table_name = $2
