-- returns 0..1 rows of 3 columns, takes 1 parameters
-- $1 direct: may we look at advisory locks? One whose owner is gone is free.
SELECT id, claim_no, claimed_by
FROM odk_sync_queue
WHERE state = 'running'
    AND (lease_until < clock_timestamp()
        OR ($1::boolean AND direct AND pg_try_advisory_xact_lock(1868851059,
            (id % 2147483648)::integer)))
ORDER BY id
LIMIT 1
FOR UPDATE SKIP LOCKED
