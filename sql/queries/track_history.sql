-- returns 0..* rows of 9 columns, takes 2 parameters
-- $1 sync type or NULL for all, $2 how many
SELECT id, sync_type,
    to_char(sync_timestamp, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS started,
    status,
    records_processed AS records,
    duration_seconds AS seconds,
    error_message AS error,
    service_instance, metadata
FROM {schema}.odk_sync_history
WHERE $1::text IS NULL OR sync_type = $1::text
ORDER BY id DESC
LIMIT $2::bigint
