-- returns 1..1 rows of 2 columns, takes 0 parameters
SELECT to_regclass('odk_sync_schema') IS NOT NULL AS ours,
    to_regclass('odk_sync_status') IS NOT NULL
        OR to_regclass('odk_sync_history') IS NOT NULL AS old
