-- returns 1..1 rows of 7 columns, takes 1 parameters
SELECT current_user,
       pg_catalog.quote_ident($1) AS form_schema,
       EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1),
       COALESCE((SELECT pg_catalog.has_schema_privilege(oid, 'CREATE')
                   FROM pg_catalog.pg_namespace WHERE nspname = $1), false),
       -- of a list of privileges one would be enough
       (SELECT bool_and(pg_catalog.has_table_privilege(t, p))
          FROM unnest(ARRAY['odk_sync_attachment', 'odk_sync_history',
                            'odk_sync_key',
                            'odk_sync_queue', 'odk_sync_reject']) t,
               unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p),
       (SELECT bool_and(pg_catalog.has_table_privilege(t, p))
          FROM unnest(ARRAY['odk_sync_choice', 'odk_sync_column',
                            'odk_sync_cursor', 'odk_sync_form',
                            'odk_sync_form_job', 'odk_sync_slot',
                            'odk_sync_status', 'odk_sync_view']) t,
               unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) p)
       AND pg_catalog.has_table_privilege('odk_sync_schema', 'SELECT')
       -- an adopted table may number its rows in another way
       AND COALESCE(pg_catalog.has_sequence_privilege(
           pg_catalog.pg_get_serial_sequence('odk_sync_history', 'id'),
           'USAGE'), true),
       (SELECT extversion FROM pg_catalog.pg_extension
         WHERE extname = 'postgis')
