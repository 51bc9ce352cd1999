-- returns 1..1 rows of 3 columns, takes 3 parameters
-- $1 sync type, $2 history id or NULL, $3 the SQL of a job of kind sql; for the
-- transaction alone.
SELECT set_config('odk_sync.sync_type', $1::text, true),
    set_config('odk_sync.history_id', coalesce($2::text, ''), true),
    set_config('odk_sync.sql', $3::text, true)
