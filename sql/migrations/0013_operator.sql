-- sql/migrations/0013_operator.sql - SPDX-License-Identifier: Apache-2.0
--
-- What a person asks for, and what a person wants to know.

-- enqueue --at: the job is "timed" until its time comes, apart from the one
-- that waits for the schedule, so that neither moves the other.
ALTER TABLE {schema}.odk_sync_queue
    DROP CONSTRAINT odk_sync_queue_state_check,
    ADD CONSTRAINT odk_sync_queue_state_check
        CHECK (state IN ('timed', 'pending', 'running', 'dead'));
CREATE UNIQUE INDEX odk_sync_queue_timed
    ON {schema}.odk_sync_queue (sync_type, run_at) WHERE state = 'timed';

-- A job that gave up is due again when its settings change.
ALTER TABLE {schema}.odk_sync_slot ADD COLUMN settings text;
COMMENT ON COLUMN {schema}.odk_sync_slot.settings IS
    'a digest of the settings that the last run found in the configuration';

-- How far a walk through everything is.
ALTER TABLE {schema}.odk_sync_cursor ADD COLUMN backfill_progress jsonb;
COMMENT ON COLUMN {schema}.odk_sync_cursor.backfill_progress IS
    'rows: total in Central, done, stored (done up to backfill_position), read'
    ' by the last attempt in so many ms';

-- Drop a sync type that is no longer in use: everything about it except its
-- history, to which a row is added, and the names that were given to columns.
-- The caller makes sure that the type is not in the configuration.
CREATE FUNCTION {schema}.odk_sync_forget(p_sync_type text) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_last timestamptz;
    v_known boolean;
BEGIN
    PERFORM {schema}.odk_sync_check_type(p_sync_type);
    -- a claim that is being taken must be seen, or wait
    PERFORM FROM {schema}.odk_sync_queue WHERE sync_type = p_sync_type FOR UPDATE;
    IF EXISTS (SELECT FROM {schema}.odk_sync_queue
            WHERE sync_type = p_sync_type AND state = 'running') THEN
        RAISE EXCEPTION 'a job of % is running', p_sync_type
            USING ERRCODE = 'object_in_use';
    END IF;
    v_last := {schema}.odk_sync_get_last_sync_time(p_sync_type);
    v_known := EXISTS (SELECT FROM {schema}.odk_sync_status
            WHERE sync_type = p_sync_type)
        OR EXISTS (SELECT FROM {schema}.odk_sync_queue WHERE sync_type = p_sync_type)
        OR EXISTS (SELECT FROM {schema}.odk_sync_cursor WHERE sync_type = p_sync_type)
        OR EXISTS (SELECT FROM {schema}.odk_sync_slot WHERE sync_type = p_sync_type);
    DELETE FROM {schema}.odk_sync_queue WHERE sync_type = p_sync_type;
    DELETE FROM {schema}.odk_sync_slot WHERE sync_type = p_sync_type;
    DELETE FROM {schema}.odk_sync_cursor WHERE sync_type = p_sync_type;
    DELETE FROM {schema}.odk_sync_key WHERE sync_type = p_sync_type;
    DELETE FROM {schema}.odk_sync_attachment WHERE sync_type = p_sync_type;
    DELETE FROM {schema}.odk_sync_reject WHERE sync_type = p_sync_type;
    DELETE FROM {schema}.odk_sync_status WHERE sync_type = p_sync_type;
    IF v_known THEN
        INSERT INTO {schema}.odk_sync_history (sync_type, sync_timestamp, status,
            records_processed, duration_seconds, metadata, service_instance)
        VALUES (p_sync_type, v_now, 'pending', 0, 0,
            jsonb_build_object('action', 'forget', 'last_sync_timestamp',
                {schema}.odk_sync_iso(v_last), 'by', session_user),
            left(current_setting('application_name'), 100));
    END IF;
    RETURN v_known;
END
$$;
COMMENT ON FUNCTION {schema}.odk_sync_forget(text) IS
    'odk-sync: drop a sync type from status, health and queue; was it there?';
