-- returns 0..* rows of 2 columns, takes 0 parameters
SELECT version, checksum FROM odk_sync_schema ORDER BY version
