-- sql/migrations/0011_refused.sql - SPDX-License-Identifier: Apache-2.0
--
-- Rejects that a constraint, an index, a type or a trigger caused that a user
-- added to a table, and submissions that cannot be in their table at all.

ALTER TABLE {schema}.odk_sync_reject
    ADD COLUMN refused boolean NOT NULL DEFAULT false,
    ADD COLUMN constraint_name text,
    ADD COLUMN submitted_at timestamptz;
COMMENT ON COLUMN {schema}.odk_sync_reject.refused IS
    'PostgreSQL refused the row because of something that was added to the table: an earlier row stays as it was, of a new one this cell is NULL; every run tries again';
COMMENT ON COLUMN {schema}.odk_sync_reject.constraint_name IS
    'the constraint or unique index that refused the row, where PostgreSQL names one';
COMMENT ON COLUMN {schema}.odk_sync_reject.submitted_at IS
    'the submission is not in its table at all, and this is its date';
CREATE INDEX odk_sync_reject_open ON {schema}.odk_sync_reject (sync_type)
    WHERE refused OR submitted_at IS NOT NULL;

-- The view holds no answers, so whoever may call odk_sync_health() may read it,
-- without any right on odk_sync_reject.
CREATE VIEW {schema}.odk_sync_refused AS
SELECT sync_type, count(DISTINCT submission_id) AS submissions,
    count(DISTINCT submission_id) FILTER (WHERE submitted_at IS NOT NULL)
        AS left_out,
    min(reason || coalesce(' (' || nullif(path, '') || ')', '')) AS example
FROM {schema}.odk_sync_reject
WHERE refused OR submitted_at IS NOT NULL
GROUP BY sync_type;
COMMENT ON VIEW {schema}.odk_sync_refused IS
    'odk-sync: submissions that are not stored as Central has them';
COMMENT ON COLUMN {schema}.odk_sync_refused.sync_type IS 'name of the sync';
COMMENT ON COLUMN {schema}.odk_sync_refused.submissions IS 'how many there are';
COMMENT ON COLUMN {schema}.odk_sync_refused.left_out IS
    'how many of them are not in the table at all';
COMMENT ON COLUMN {schema}.odk_sync_refused.example IS 'why one of them is not';
GRANT SELECT ON {schema}.odk_sync_refused TO PUBLIC;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_problems()
RETURNS TABLE (sync_type text, problem text)
LANGUAGE sql STABLE SET search_path FROM CURRENT SET timezone TO 'UTC'
AS $$
    SELECT s.sync_type, 'the last attempt failed'
        || coalesce(': ' || s.last_error_message, '')
    FROM {schema}.odk_sync_status s
    WHERE s.last_sync_status = 'error'
        OR s.last_sync_status <> 'success' AND s.last_error_message <> ''
    UNION ALL
    SELECT q.sync_type, 'gave up after ' || q.failures || ' failures'
        || coalesce(': ' || q.last_error, '')
    FROM {schema}.odk_sync_queue q WHERE q.state = 'dead'
    UNION ALL
    SELECT h.sync_type, 'attempt ' || h.id || ' began at '
        || {schema}.odk_sync_iso(h.sync_timestamp) || ' and has not ended'
    FROM {schema}.odk_sync_history h
    WHERE h.status = 'in_progress'
        AND h.sync_timestamp < clock_timestamp() - interval '1 day'
        AND NOT EXISTS (SELECT FROM {schema}.odk_sync_queue q
            WHERE q.history_id = h.id)
    UNION ALL
    SELECT r.sync_type, CASE WHEN r.submissions = 1
            THEN '1 submission is not stored as Central has it: '
            ELSE r.submissions
                || ' submissions are not stored as Central has them: ' END
        || r.example
    FROM {schema}.odk_sync_refused r
    ORDER BY 1, 2
$$;
