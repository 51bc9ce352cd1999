-- returns 1..1 rows of 2 columns, takes 0 parameters
SELECT coalesce(bool_or(c.relname = 'odk_sync_schema'), false) AS ours,
    coalesce(bool_or(c.relname <> 'odk_sync_schema'), false) AS old
FROM pg_namespace n
JOIN pg_class c ON c.relnamespace = n.oid
WHERE n.nspname = {schema_name}
    AND has_schema_privilege(n.oid, 'USAGE')
    AND c.relname IN ('odk_sync_schema', 'odk_sync_status', 'odk_sync_history')
