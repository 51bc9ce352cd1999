-- returns 0..0 rows of 0 columns, takes 0 parameters
DROP TABLE IF EXISTS pg_temp.odks_stage_key;
CREATE TEMPORARY TABLE odks_stage_key (LIKE {schema}.odk_sync_key) ON COMMIT DROP
