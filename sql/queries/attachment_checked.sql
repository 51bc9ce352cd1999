-- returns 0..0 rows of 0 columns, takes 3 parameters
-- Those that attachment_due.sql gives for the same parameters were read again:
-- next in 30 minutes, then always twice as long, a day at most.
UPDATE odk_sync_attachment a
SET checks = a.checks + 1,
    next_check = $2::timestamptz
        + least(interval '15 min' * 2 ^ least(a.checks + 1, 10),
            interval '1 day')
FROM (
    SELECT submission_id FROM odk_sync_attachment
    WHERE sync_type = $1 AND next_check <= $2::timestamptz
    ORDER BY next_check, submission_id COLLATE "C"
    LIMIT $3::bigint
) due
WHERE a.sync_type = $1 AND a.submission_id = due.submission_id
