-- sql/migrations/0005_recheck.sql - SPDX-License-Identifier: Apache-2.0
--
-- Looking again: at all keys, at a tag, at attachments that are late.

-- run --reconcile
ALTER TABLE {schema}.odk_sync_queue
    ADD CHECK (jsonb_typeof(payload->'reconcile') = 'boolean');

-- A job that merges into one that waits: to read all covers everything, two
-- windows become the one around both, and that may be all; what else was asked
-- for is done, too.
CREATE OR REPLACE FUNCTION {schema}.odk_sync_payload_merge(a jsonb, b jsonb)
RETURNS jsonb
LANGUAGE sql STABLE SET search_path FROM CURRENT
AS $$
    SELECT CASE
        WHEN a @> '{"full": true}' OR b @> '{"full": true}'
            THEN '{"full": true}'
        WHEN NOT b ?| ARRAY['since', 'until']
            THEN a - '{allow_mass_delete,reconcile}'::text[]
        WHEN NOT a ?| ARRAY['since', 'until']
            THEN b - '{allow_mass_delete,reconcile}'::text[]
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
        || CASE WHEN a @> '{"allow_mass_delete": true}'
                OR b @> '{"allow_mass_delete": true}'
            THEN '{"allow_mass_delete": true}'::jsonb ELSE '{}' END
        || CASE WHEN a @> '{"reconcile": true}' OR b @> '{"reconcile": true}'
            THEN '{"reconcile": true}'::jsonb ELSE '{}' END
$$;

-- What else of a submission may change and leave no date.
ALTER TABLE {schema}.odk_sync_key
    ADD COLUMN submitter text,
    ADD COLUMN status text,
    ADD COLUMN attachments_present integer,
    ADD COLUMN attachments_expected integer;

-- etag is Central's tag of all submissions, taken before they were read.
ALTER TABLE {schema}.odk_sync_cursor
    ADD COLUMN etag_key text, -- form, settings and program that it was taken by
    ADD COLUMN etag_compared boolean NOT NULL DEFAULT false; -- with all keys

-- Submissions whose files the device has not all uploaded. Nothing tells when
-- one arrives, so they are read again, ever more rarely. Times are Central's.
CREATE TABLE {schema}.odk_sync_attachment (
    sync_type varchar(50) NOT NULL,
    submission_id text NOT NULL,
    submitted_at timestamptz NOT NULL, -- by which it is asked for
    since timestamptz NOT NULL, -- of its last version
    present integer NOT NULL,
    expected integer NOT NULL,
    checks integer NOT NULL DEFAULT 0,
    next_check timestamptz, -- NULL: given up
    PRIMARY KEY (sync_type, submission_id)
);
CREATE INDEX odk_sync_attachment_next
    ON {schema}.odk_sync_attachment (sync_type, next_check);
COMMENT ON TABLE {schema}.odk_sync_attachment IS
    'odk-sync: submissions whose attachments are not all in Central yet';
