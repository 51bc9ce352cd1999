-- returns 0..1 rows of 2 columns, takes 0 parameters
-- Who wrote history lately and is no odk-sync: its instances end in eight
-- hexadecimal digits behind the process number, the Python service's in the
-- process number.
SELECT service_instance,
    to_char(sync_timestamp, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS wrote
FROM {schema}.odk_sync_history
WHERE sync_timestamp > clock_timestamp() - interval '10 minutes'
    AND service_instance ~ '.-[0-9]+$'
    AND service_instance !~ '-[0-9]+-[0-9a-f]{8}$'
ORDER BY sync_timestamp DESC
LIMIT 1
