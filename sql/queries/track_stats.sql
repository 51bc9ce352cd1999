-- returns 0..* rows of 9 columns, takes 0 parameters
-- what odk_sync_statistics() says, as a table
SELECT key AS sync_type,
    value->>'last_sync_status' AS status,
    (value->>'successful_syncs')::bigint AS succeeded,
    (value->>'failed_syncs')::bigint AS failed,
    (value->>'attempts')::bigint AS in_history,
    (value->>'records')::bigint AS records,
    value->>'average_seconds' AS seconds,
    to_char((value->>'last_success')::timestamptz,
        'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS last_success,
    to_char((value->>'last_sync_timestamp')::timestamptz,
        'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS last_sync
FROM json_each({schema}.odk_sync_statistics())
WHERE key <> 'recent_history'
ORDER BY key
