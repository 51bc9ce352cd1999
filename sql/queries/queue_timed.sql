-- returns 0..1 rows of 5 columns, takes 0 parameters
-- Take out a job that was to wait for a time which has come.
WITH t AS MATERIALIZED (
    SELECT id FROM {schema}.odk_sync_queue
    WHERE state = 'timed' AND run_at <= clock_timestamp()
    ORDER BY run_at, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
DELETE FROM {schema}.odk_sync_queue q USING t WHERE q.id = t.id
RETURNING q.id, q.sync_type, q.priority, q.max_failures, q.payload
