-- sql/migrations/0009_entities.sql - SPDX-License-Identifier: Apache-2.0
--
-- Datasets have tables, too: one may be called as a form is.

ALTER TABLE {schema}.odk_sync_column
    ADD COLUMN source text NOT NULL DEFAULT 'form'
        CHECK (source IN ('form', 'dataset')),
    DROP CONSTRAINT odk_sync_column_pkey,
    ADD PRIMARY KEY (central, project, source, form, odata, path, odk_type,
        part);
COMMENT ON COLUMN {schema}.odk_sync_column.form IS 'form id, or name of the dataset';
COMMENT ON TABLE {schema}.odk_sync_column IS
    'odk-sync: which field of which form or dataset fills which column';

ALTER TABLE {schema}.odk_sync_view
    ADD COLUMN source text NOT NULL DEFAULT 'form'
        CHECK (source IN ('form', 'dataset')),
    DROP CONSTRAINT odk_sync_view_pkey,
    ADD PRIMARY KEY (central, project, source, form, odata, kind, key);
COMMENT ON COLUMN {schema}.odk_sync_view.form IS 'form id, or name of the dataset';
COMMENT ON TABLE {schema}.odk_sync_view IS
    'odk-sync: the views over the tables of forms and datasets';

ALTER TABLE {schema}.odk_sync_form
    ADD COLUMN source text NOT NULL DEFAULT 'form'
        CHECK (source IN ('form', 'dataset'));
COMMENT ON COLUMN {schema}.odk_sync_form.form IS 'form id, or name of the dataset';
COMMENT ON TABLE {schema}.odk_sync_form IS
    'odk-sync: title and languages of each form whose views are made, and the datasets';

-- What of an entity may change and leave no date.
ALTER TABLE {schema}.odk_sync_key
    ADD COLUMN conflict text,
    ADD COLUMN version integer;
