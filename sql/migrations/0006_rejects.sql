-- sql/migrations/0006_rejects.sql - SPDX-License-Identifier: Apache-2.0
--
-- Rejects that are only a warning, and jobs that look at rejects again.

ALTER TABLE {schema}.odk_sync_reject ADD COLUMN kept boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN {schema}.odk_sync_reject.kept IS
    'the cell holds the value all the same: it is only doubtful';
COMMENT ON TABLE {schema}.odk_sync_reject IS
    'odk-sync: values that did not fit their column, which is NULL there';

ALTER TABLE {schema}.odk_sync_queue
    ADD CHECK (jsonb_typeof(payload->'rejects') = 'boolean');

-- A job that merges into one that waits: to read all covers everything, two
-- windows become the one around both, and that may be all. What either one
-- asks for beside that, both do.
CREATE OR REPLACE FUNCTION {schema}.odk_sync_payload_merge(a jsonb, b jsonb)
RETURNS jsonb
LANGUAGE sql STABLE SET search_path FROM CURRENT
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
