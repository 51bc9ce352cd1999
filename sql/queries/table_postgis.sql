-- returns 0..1 rows of 1 columns, takes 0 parameters
-- The extension's type, as DDL names it whatever the search_path is.
SELECT quote_ident(n.nspname) || '.geometry'
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'postgis'
    AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
