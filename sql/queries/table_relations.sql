-- returns 0..* rows of 1 columns, takes 2 parameters
SELECT c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1
    AND c.relname IN (SELECT jsonb_array_elements_text($2)::name)
ORDER BY c.relname
