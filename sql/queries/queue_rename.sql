-- returns 0..0 rows of 0 columns, takes 2 parameters
-- $1 id, $2 new id
UPDATE {schema}.odk_sync_queue SET id = $2::bigint WHERE id = $1::bigint
