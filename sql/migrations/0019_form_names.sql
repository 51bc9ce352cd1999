-- sql/migrations/0019_form_names.sql - SPDX-License-Identifier: Apache-2.0

-- Central's OData gives several questions one name, such as "__" to all names in
-- another script. With it as the identity of a question, a new one took over
-- the column of the one that it replaced.
ALTER TABLE {schema}.odk_sync_column
    -- path and odata have the names of the form; until its next sync: of OData
    ADD COLUMN of_form boolean NOT NULL DEFAULT false;

-- Without its tag each form is looked at by the next sync.
UPDATE {schema}.odk_sync_cursor SET etag = NULL WHERE etag IS NOT NULL;
