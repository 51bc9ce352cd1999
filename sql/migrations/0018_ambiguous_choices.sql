-- sql/migrations/0018_ambiguous_choices.sql - SPDX-License-Identifier: Apache-2.0

-- In a cascade two places may have one name; their properties tell them apart.
ALTER TABLE {schema}.odk_sync_choice
    ADD COLUMN variant text NOT NULL DEFAULT '', -- '': its name is unique
    ADD COLUMN properties jsonb, -- of a choice whose name is not unique
    DROP CONSTRAINT odk_sync_choice_pkey,
    ADD PRIMARY KEY (central, project, form, list, language, name, variant);
