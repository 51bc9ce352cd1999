-- returns 0..* rows of 1 columns, takes 0 parameters
-- the sync types that the database knows
SELECT sync_type FROM {schema}.odk_sync_status
UNION SELECT sync_type FROM {schema}.odk_sync_queue
UNION SELECT sync_type FROM {schema}.odk_sync_cursor
UNION SELECT sync_type FROM {schema}.odk_sync_slot
    WHERE slot IS NOT NULL OR paused_at IS NOT NULL
UNION SELECT sync_type FROM {schema}.odk_sync_history
ORDER BY 1
