-- sql/migrations/0007_labels.sql - SPDX-License-Identifier: Apache-2.0
--
-- Runs with search_path = the tracking schema, pg_temp.

-- What forms say to people: for each job, what its views were made from.
CREATE TABLE {schema}.odk_sync_form (
    sync_type varchar(50) PRIMARY KEY,
    central text NOT NULL,
    project bigint NOT NULL,
    form text NOT NULL,
    title text,
    languages jsonb NOT NULL DEFAULT '[]', -- names, the form's default first
    digest text, -- of the form's version and the settings; NULL: make them anew
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE {schema}.odk_sync_form IS
    'odk-sync: title and languages of each form whose views are made';

-- A choice that a form has no more stays: old answers still hold it.
CREATE TABLE {schema}.odk_sync_choice (
    central text NOT NULL,
    project bigint NOT NULL,
    form text NOT NULL,
    list text NOT NULL, -- its name in the form, or the path of its question
    language text NOT NULL,
    name text NOT NULL, -- what the answers hold
    position integer NOT NULL, -- from 1, within its list
    label text NOT NULL, -- in this language, or else the default one
    retired_at timestamptz,
    PRIMARY KEY (central, project, form, list, language, name)
);
COMMENT ON TABLE {schema}.odk_sync_choice IS
    'odk-sync: the choices of forms, with their labels in each language';

-- Names once given to views never change, and columns keep their places.
CREATE TABLE {schema}.odk_sync_view (
    central text NOT NULL,
    project bigint NOT NULL,
    form text NOT NULL,
    odata text NOT NULL, -- path of the OData table; '': the whole form
    kind text NOT NULL
        CHECK (kind IN ('table', 'live', 'label', 'choice', 'choices')),
    key text NOT NULL DEFAULT '', -- label: the language; choice: the column
    view_schema text NOT NULL,
    view_name text NOT NULL, -- kind table: the name of the table
    columns jsonb NOT NULL DEFAULT '[]', -- where each of them comes from
    digest text, -- of the definition as it was made; NULL: not made
    comment_digest text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (central, project, form, odata, kind, key),
    UNIQUE (view_schema, view_name)
);
COMMENT ON TABLE {schema}.odk_sync_view IS
    'odk-sync: the views over the tables of forms';
