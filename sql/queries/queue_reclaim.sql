-- returns 0..1 rows of 3 columns, takes 1 parameters
-- $1 JSON object of sync types: does the claim end with the session of its
-- owner? Then its advisory lock is free. A type that is not there may do what no
-- fence can hold back: its claim ends with the lease alone.
SELECT id, claim_no, claimed_by
FROM {schema}.odk_sync_queue
WHERE state = 'running'
    AND (lease_until < clock_timestamp()
        OR (direct AND ($1::jsonb->>sync_type)::boolean
            AND pg_try_advisory_xact_lock(1868851059,
                (id % 2147483648)::integer)))
ORDER BY id
LIMIT 1
FOR UPDATE SKIP LOCKED
