-- sql/migrations/0002_adoption.sql - SPDX-License-Identifier: Apache-2.0
--
-- Tables that another program made were brought into the shape of ours and
-- renamed (sql/queries/schema_adopt.sql) before 0001_base made new ones, in
-- this very transaction. Here they take the place of those: the same table
-- with its rows, grants, views, triggers and sequence.

-- The Python service calls the column sync_metadata; whoever writes one of
-- the two writes both.
CREATE FUNCTION {schema}.odk_sync_equal_metadata() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
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

DO $$
BEGIN
    IF coalesce(current_setting('odk_sync.adopting', true), '') <> 'yes' THEN
        RETURN;
    END IF;
    IF to_regclass(quote_ident({schema_name}) || '.' || 'odk_sync_status_adopted') IS NOT NULL THEN
        DROP TABLE {schema}.odk_sync_status;
        ALTER TABLE {schema}.odk_sync_status_adopted RENAME TO odk_sync_status;
    END IF;
    IF to_regclass(quote_ident({schema_name}) || '.' || 'odk_sync_history_adopted') IS NOT NULL THEN
        DROP TABLE {schema}.odk_sync_history;
        ALTER TABLE {schema}.odk_sync_history_adopted RENAME TO odk_sync_history;
        CREATE INDEX odk_sync_history_type_time
            ON {schema}.odk_sync_history (sync_type, sync_timestamp DESC);
        CREATE INDEX odk_sync_history_time
            ON {schema}.odk_sync_history USING brin (sync_timestamp);
    END IF;
    -- one of the two may be new
    ALTER TABLE {schema}.odk_sync_history
        ADD COLUMN IF NOT EXISTS sync_metadata text;
    CREATE TRIGGER odk_sync_equal_metadata
        BEFORE INSERT OR UPDATE ON {schema}.odk_sync_history
        FOR EACH ROW EXECUTE FUNCTION {schema}.odk_sync_equal_metadata();
END
$$;
