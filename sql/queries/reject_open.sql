-- returns 0..* rows of 4 columns, takes 0 parameters
-- Of each sync type: the submissions that are not stored as Central has them,
-- those of them that are not in their table at all, and why, for example.
SELECT sync_type, submissions, left_out, example
FROM {schema}.odk_sync_refused
ORDER BY sync_type
