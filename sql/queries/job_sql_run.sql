-- returns 0..0 rows of 0 columns, takes 0 parameters
-- Runs with the search_path of the job. EXECUTE takes any number of statements
-- and, unlike a plain query, no COMMIT or the like that would end our
-- transaction in the middle.
DO $$
DECLARE
    v_rows bigint;
BEGIN
    EXECUTE pg_catalog.current_setting('odk_sync.sql');
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    PERFORM pg_catalog.set_config('odk_sync.sql', '', true),
        pg_catalog.set_config('odk_sync.rows', v_rows::text, true);
END
$$
