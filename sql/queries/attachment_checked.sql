-- returns 0..0 rows of 0 columns, takes 4 parameters
-- $1 to $3 as attachment_due.sql has them, $4 seconds. What that gives was read
-- again: next in 30 minutes, then always after twice as long, a day at most, and
-- for the last time when $4 is over.
UPDATE {schema}.odk_sync_attachment a
SET checks = a.checks + 1,
    next_check = CASE
        WHEN a.since + make_interval(secs => $4) > $2::timestamptz
        THEN least(a.since + make_interval(secs => $4), $2::timestamptz
            + least(interval '15 min' * 2 ^ least(a.checks + 1, 10),
                interval '1 day')) END
FROM (
    SELECT submission_id FROM {schema}.odk_sync_attachment
    WHERE sync_type = $1 AND next_check <= $2::timestamptz
    ORDER BY next_check, submission_id COLLATE "C"
    LIMIT $3::bigint
) due
WHERE a.sync_type = $1 AND a.submission_id = due.submission_id
