-- returns 0..* rows of 9 columns, takes 4 parameters
SELECT v.odata, v.kind, v.key, v.view_name, v.columns, v.digest,
    v.comment_digest,
    (SELECT json_agg(a.attname ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped),
    pg_catalog.array_to_string(t.reloptions, ', ')
FROM {schema}.odk_sync_view v
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = v.view_schema::name
LEFT JOIN pg_catalog.pg_class t ON t.relnamespace = n.oid
    AND t.relname = v.view_name::name AND t.relkind = 'v'
WHERE v.central = $1 AND v.project = $2 AND v.form = $3
    AND v.source = $4
ORDER BY v.odata COLLATE "C", v.kind COLLATE "C", v.key COLLATE "C"
