-- returns 0..0 rows of 0 columns, takes 3 parameters
INSERT INTO {schema}.odk_sync_schema (version, name, checksum)
VALUES ($1::integer, $2::text, $3::text)
