-- sql/migrations/0017_qualified.sql - SPDX-License-Identifier: Apache-2.0
--
-- Functions that earlier versions made had the tracking schema in their
-- search_path, where another role may be able to create a function or an
-- operator that matches a call better than the one that is meant. Here each is
-- made again: with the catalogs alone in its path, other objects named with
-- their schema, and calls to functions of odk-sync with exactly their types,
-- which no overload can match better.

CREATE OR REPLACE FUNCTION {schema}.odk_sync_payload_merge(a jsonb, b jsonb)
RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN a @> '{"full": true}' OR b @> '{"full": true}'
            THEN '{"full": true}'
        WHEN NOT (a ?| w.keys AND b ?| w.keys)
            THEN (a || b) - s.keys
        WHEN NOT (a ? 'since' AND b ? 'since')
                AND NOT (a ? 'until' AND b ? 'until')
            THEN '{"full": true}'
        ELSE jsonb_strip_nulls(jsonb_build_object(
            'since', CASE WHEN NOT (a ? 'since' AND b ? 'since') THEN NULL
                WHEN (a->>'since')::timestamptz < (b->>'since')::timestamptz
                THEN a->'since' ELSE b->'since' END,
            'until', CASE WHEN NOT (a ? 'until' AND b ? 'until') THEN NULL
                WHEN (a->>'until')::timestamptz > (b->>'until')::timestamptz
                THEN a->'until' ELSE b->'until' END))
        END
        || (SELECT coalesce(jsonb_object_agg(k, true), '{}')
            FROM unnest(s.keys) AS k
            WHERE jsonb_build_object(k, true) <@ a
                OR jsonb_build_object(k, true) <@ b)
    FROM (SELECT ARRAY['since', 'until'] AS keys) w,
        (SELECT ARRAY['allow_mass_delete', 'reconcile', 'rejects'] AS keys) s
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_get_last_sync_time(p_sync_type text)
RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM {schema}.odk_sync_check_type(p_sync_type);
    RETURN (SELECT last_sync_timestamp FROM {schema}.odk_sync_status
        WHERE sync_type = p_sync_type);
END
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_set_last_sync_time(p_ts timestamptz,
    p_sync_type text, p_force boolean DEFAULT false,
    p_metadata jsonb DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone TO 'UTC'
AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_old timestamptz;
BEGIN
    PERFORM {schema}.odk_sync_check_type(p_sync_type);
    PERFORM {schema}.odk_sync_check_progress(NULL::integer, p_ts, p_metadata);
    IF p_ts IS NULL THEN
        RAISE EXCEPTION 'a point in time is missing: it is NULL'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO {schema}.odk_sync_status (sync_type, last_attempt_timestamp,
        last_sync_status, successful_sync_count, failed_sync_count,
        created_at, updated_at)
    VALUES (p_sync_type, v_now, 'pending', 0, 0, v_now, v_now)
    ON CONFLICT (sync_type) DO NOTHING;
    SELECT last_sync_timestamp INTO v_old FROM {schema}.odk_sync_status
    WHERE sync_type = p_sync_type FOR UPDATE;
    IF p_ts < v_old AND p_force IS NOT TRUE THEN
        RAISE EXCEPTION
            'the last sync time of % is %, and % would move it backwards',
            p_sync_type, v_old, p_ts
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Force it, if that is what you want.';
    END IF;
    UPDATE {schema}.odk_sync_status
    SET last_sync_timestamp = p_ts, updated_at = v_now
    WHERE sync_type = p_sync_type;
    INSERT INTO {schema}.odk_sync_history (sync_type, sync_timestamp, status,
        records_processed, duration_seconds, metadata, service_instance)
    VALUES (p_sync_type, v_now, 'success', 0, 0,
        coalesce(p_metadata, '{}') || jsonb_build_object(
            'action', 'set_last_sync_time', 'from', v_old, 'to', p_ts,
            'by', session_user),
        left(current_setting('application_name'), 100));
END
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_start(p_sync_type text,
    p_service_instance text) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_id integer;
BEGIN
    PERFORM {schema}.odk_sync_check_type(p_sync_type);
    INSERT INTO {schema}.odk_sync_status (sync_type, last_attempt_timestamp,
        last_sync_status, successful_sync_count, failed_sync_count,
        created_at, updated_at)
    VALUES (p_sync_type, v_now, 'in_progress', 0, 0, v_now, v_now)
    ON CONFLICT (sync_type) DO UPDATE
    SET last_attempt_timestamp = EXCLUDED.last_attempt_timestamp,
        last_sync_status = EXCLUDED.last_sync_status,
        updated_at = EXCLUDED.updated_at;
    INSERT INTO {schema}.odk_sync_history (sync_type, sync_timestamp, status,
        service_instance)
    VALUES (p_sync_type, v_now, 'in_progress', left(p_service_instance, 100))
    RETURNING id INTO v_id;
    RETURN v_id;
END
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_progress(p_history_id integer,
    p_records integer, p_latest timestamptz, p_metadata jsonb)
RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone TO 'UTC'
AS $$
DECLARE
    v_status text;
BEGIN
    PERFORM {schema}.odk_sync_check_progress(p_records, p_latest, p_metadata);
    UPDATE {schema}.odk_sync_history
    SET records_processed = coalesce(p_records, records_processed),
        metadata = nullif(coalesce(metadata::jsonb, '{}')
            || coalesce(p_metadata, '{}')
            || jsonb_strip_nulls(jsonb_build_object('latest', p_latest)),
            '{}')
    WHERE id = p_history_id AND status = 'in_progress';
    IF NOT FOUND THEN
        SELECT status INTO v_status FROM {schema}.odk_sync_history
        WHERE id = p_history_id;
        IF v_status IS NULL THEN
            RAISE EXCEPTION 'there is no attempt %',
                coalesce(p_history_id::text, 'NULL')
                USING ERRCODE = 'object_not_in_prerequisite_state',
                    HINT = 'odk_sync_start() gives the number of an attempt.';
        END IF;
        RAISE EXCEPTION 'attempt % has ended before, with %', p_history_id,
            v_status
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Every attempt ends once; nothing was changed.';
    END IF;
    RETURN p_history_id;
END
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_close(p_history_id integer,
    p_sync_type text, p_status text, p_message text) RETURNS timestamptz
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_type text;
BEGIN
    PERFORM {schema}.odk_sync_check_type(p_sync_type);
    PERFORM {schema}.odk_sync_progress(p_history_id, NULL::integer,
        NULL::timestamptz, NULL::jsonb);
    UPDATE {schema}.odk_sync_history
    SET status = p_status,
        error_message = left(p_message, 1000),
        duration_seconds = greatest(0,
            floor(extract(epoch FROM v_now - sync_timestamp)))
    WHERE id = p_history_id
    RETURNING sync_type INTO v_type;
    IF v_type <> p_sync_type THEN
        RAISE EXCEPTION 'attempt % is not one of % but of %', p_history_id,
            p_sync_type, v_type
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    INSERT INTO {schema}.odk_sync_status (sync_type, last_attempt_timestamp,
        last_sync_status, successful_sync_count, failed_sync_count,
        created_at, updated_at)
    VALUES (p_sync_type, v_now, 'pending', 0, 0, v_now, v_now)
    ON CONFLICT (sync_type) DO NOTHING;
    RETURN v_now;
END
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_complete(p_history_id integer, p_sync_type text,
    p_records integer, p_latest timestamptz, p_metadata jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamptz;
BEGIN
    PERFORM {schema}.odk_sync_progress(p_history_id, p_records, p_latest, p_metadata);
    v_now := {schema}.odk_sync_close(p_history_id, p_sync_type,
        'success'::text, NULL::text);
    UPDATE {schema}.odk_sync_status
    SET last_sync_status = 'success',
        last_error_message = NULL,
        last_sync_timestamp = greatest(last_sync_timestamp, p_latest),
        successful_sync_count = coalesce(successful_sync_count, 0) + 1,
        last_records_processed = coalesce(p_records, 0),
        updated_at = v_now
    WHERE sync_type = p_sync_type;
END
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_fail(p_history_id integer,
    p_sync_type text, p_message text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_message text := coalesce(nullif(p_message, ''), 'no reason was given');
    v_now timestamptz;
BEGIN
    v_now := {schema}.odk_sync_close(p_history_id, p_sync_type,
        'error'::text, v_message);
    UPDATE {schema}.odk_sync_status
    SET last_sync_status = 'error',
        last_error_message = left(v_message, 1000),
        failed_sync_count = coalesce(failed_sync_count, 0) + 1,
        updated_at = v_now
    WHERE sync_type = p_sync_type;
END
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_interrupt(p_history_id integer, p_sync_type text,
    p_message text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamptz;
BEGIN
    v_now := {schema}.odk_sync_close(p_history_id, p_sync_type, 'error'::text,
        'interrupted: ' || p_message);
    UPDATE {schema}.odk_sync_status
    SET last_sync_status = 'pending', updated_at = v_now
    WHERE sync_type = p_sync_type;
END
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_statistics() RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone TO 'UTC'
AS $$
    WITH entries (place, key, value) AS (
        SELECT 1, s.sync_type::text, json_build_object(
            'last_sync_timestamp', {schema}.odk_sync_iso(s.last_sync_timestamp),
            'last_attempt_timestamp', {schema}.odk_sync_iso(s.last_attempt_timestamp),
            'last_sync_status', s.last_sync_status,
            'successful_syncs', coalesce(s.successful_sync_count, 0),
            'failed_syncs', coalesce(s.failed_sync_count, 0),
            'last_records_processed', s.last_records_processed,
            'last_error', s.last_error_message,
            'last_error_message', s.last_error_message,
            'last_success', {schema}.odk_sync_iso(h.last_success),
            'attempts', h.attempts,
            'records', h.records,
            'average_seconds', h.average_seconds)
        FROM {schema}.odk_sync_status s
        LEFT JOIN LATERAL (
            SELECT count(*) AS attempts,
                coalesce(sum(records_processed), 0) AS records,
                round(avg(duration_seconds)
                    FILTER (WHERE status = 'success'), 1) AS average_seconds,
                max(sync_timestamp)
                    FILTER (WHERE status = 'success') AS last_success
            FROM {schema}.odk_sync_history h WHERE h.sync_type = s.sync_type
        ) h ON true
        UNION ALL
        SELECT 2, 'recent_history', coalesce(json_agg(json_build_object(
            'sync_type', h.sync_type,
            'timestamp', {schema}.odk_sync_iso(h.sync_timestamp),
            'status', h.status,
            'records_processed', h.records_processed,
            'duration_seconds', h.duration_seconds,
            'service_instance', h.service_instance,
            'id', h.id,
            'error_message', h.error_message) ORDER BY h.id DESC), '[]')
        FROM (SELECT * FROM {schema}.odk_sync_history ORDER BY id DESC LIMIT 10) h
    )
    SELECT json_object_agg(key, value ORDER BY place, key) FROM entries
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_health() RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone TO 'UTC'
AS $$
    WITH entries (place, key, value) AS (
        SELECT s.place, s.key, s.value
        FROM json_each({schema}.odk_sync_statistics())
            WITH ORDINALITY s (key, value, place)
        UNION ALL
        SELECT 1000000001, 'service_info', json_build_object(
            'service_instance', (SELECT h.service_instance
                FROM {schema}.odk_sync_history h ORDER BY h.id DESC LIMIT 1),
            'current_time', {schema}.odk_sync_iso(clock_timestamp()),
            'sync_interval', NULL,
            'max_workers', NULL,
            'url_refresh_enabled', false)
        UNION ALL
        SELECT 1000000002, 'healthy',
            to_json(NOT EXISTS (SELECT FROM {schema}.odk_sync_problems()))
        UNION ALL
        SELECT 1000000003, 'problems',
            (SELECT coalesce(json_agg(p), '[]') FROM {schema}.odk_sync_problems() p)
        UNION ALL
        SELECT 1000000004, 'queue', json_build_object(
            'pending', count(*) FILTER (WHERE q.state = 'pending'),
            'running', count(*) FILTER (WHERE q.state = 'running'),
            'dead', count(*) FILTER (WHERE q.state = 'dead'),
            'oldest_due', {schema}.odk_sync_iso(min(q.run_at) FILTER (WHERE
                q.state = 'pending' AND q.run_at <= clock_timestamp())))
        FROM {schema}.odk_sync_queue q
    )
    SELECT json_object_agg(key, value ORDER BY place) FROM entries
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_prune(p_days integer) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_count integer;
BEGIN
    IF p_days IS NULL OR p_days < 1 THEN
        RAISE EXCEPTION 'history is kept for one day at least'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM {schema}.odk_sync_reap();
    DELETE FROM {schema}.odk_sync_history WHERE id = ANY (ARRAY(
        SELECT h.id FROM {schema}.odk_sync_history h
        WHERE h.sync_timestamp
                < clock_timestamp() - make_interval(days => p_days)
            AND NOT EXISTS (SELECT FROM {schema}.odk_sync_queue q
                WHERE q.history_id = h.id)
        LIMIT 5000));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_equal_metadata() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.metadata := coalesce(NEW.metadata, NEW.sync_metadata);
        NEW.sync_metadata := NEW.metadata;
    ELSIF NEW.metadata IS DISTINCT FROM OLD.metadata THEN
        NEW.sync_metadata := NEW.metadata;
    ELSIF NEW.sync_metadata IS DISTINCT FROM OLD.sync_metadata THEN
        NEW.metadata := NEW.sync_metadata;
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_check_type(p_sync_type text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(p_sync_type, '') = '' THEN
        RAISE EXCEPTION 'a sync type is missing: it is %',
            coalesce(quote_literal(p_sync_type), 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF length(p_sync_type) > 50 THEN
        RAISE EXCEPTION 'a sync type has 50 characters at most, not %',
            length(p_sync_type)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_check_progress(p_records integer,
    p_latest timestamptz, p_metadata jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF p_records < 0 THEN
        RAISE EXCEPTION 'a number of records cannot be %', p_records
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF NOT isfinite(p_latest) THEN
        RAISE EXCEPTION 'a point in time cannot be %', p_latest
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF jsonb_typeof(p_metadata) <> 'object' THEN
        RAISE EXCEPTION 'metadata of an attempt must be a JSON object'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_reap() RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_lost record;
    v_count integer := 0;
BEGIN
    -- no UPDATE in WITH: adopted tables may have rules
    FOR v_lost IN
        SELECT h.id, h.sync_type, h.sync_timestamp FROM {schema}.odk_sync_history h
        WHERE h.status = 'in_progress'
            AND h.sync_timestamp < clock_timestamp() - interval '1 day'
            AND NOT EXISTS (SELECT FROM {schema}.odk_sync_queue q
                WHERE q.history_id = h.id)
    LOOP
        UPDATE {schema}.odk_sync_history
        SET status = 'error',
            error_message = 'interrupted: no end was reported within a day'
        WHERE id = v_lost.id AND status = 'in_progress';
        UPDATE {schema}.odk_sync_status
        SET last_sync_status = 'pending', updated_at = clock_timestamp()
        WHERE sync_type = v_lost.sync_type
            AND last_sync_status = 'in_progress'
            AND last_attempt_timestamp
                <= v_lost.sync_timestamp + interval '1 second';
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_iso(p_ts timestamptz) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT to_char(p_ts AT TIME ZONE 'UTC',
        'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
$$;

CREATE OR REPLACE FUNCTION {schema}.odk_sync_problems()
RETURNS TABLE (sync_type text, problem text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone TO 'UTC'
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

CREATE OR REPLACE FUNCTION {schema}.odk_sync_forget(p_sync_type text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
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
