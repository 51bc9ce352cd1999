-- returns 0..0 rows of 0 columns, takes 1 parameters
DELETE FROM {schema}.odk_sync_attachment WHERE sync_type = $1
