-- returns 1..1 rows of 7 columns, takes 1 parameters
SELECT current_user,
       pg_catalog.quote_ident($1) AS form_schema,
       EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1),
       COALESCE((SELECT pg_catalog.has_schema_privilege(oid, 'CREATE')
                   FROM pg_catalog.pg_namespace WHERE nspname = $1), false),
       pg_catalog.has_table_privilege('odk_sync_queue',
                                      'SELECT, INSERT, UPDATE, DELETE'),
       pg_catalog.has_table_privilege('odk_sync_history',
                                      'SELECT, INSERT, UPDATE'),
       (SELECT extversion FROM pg_catalog.pg_extension
         WHERE extname = 'postgis')
