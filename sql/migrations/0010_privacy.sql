-- sql/migrations/0010_privacy.sql - SPDX-License-Identifier: Apache-2.0

-- What is known of the rows of a table, so that a rule that came later is
-- carried through once, wherever a run is killed.
ALTER TABLE {schema}.odk_sync_column ADD COLUMN privacy text;
COMMENT ON COLUMN {schema}.odk_sync_column.privacy IS
    'of a table: the privacy rules that all of its rows obey';
