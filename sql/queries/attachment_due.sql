-- returns 0..* rows of 1 columns, takes 3 parameters
-- $1 sync type, $2 Central's clock, $3 at most so many
SELECT (extract(epoch FROM submitted_at) * 1000000)::bigint
FROM {schema}.odk_sync_attachment
WHERE sync_type = $1 AND next_check <= $2::timestamptz
ORDER BY next_check, submission_id COLLATE "C"
LIMIT $3::bigint
