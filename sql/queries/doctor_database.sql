-- returns 1..* rows of 3 columns, takes 2 parameters
-- What in the database would make a run fail, apart from the tables of forms:
-- exit code (0: a warning, -1: all is well), message, and the statement that
-- helps. $1: tracking schema, $2: schemas for tables of forms (JSON).
-- tests/docs/test_docs.py compares the rights.
WITH me AS (
    SELECT pg_catalog.quote_ident(current_user) AS role
), form_schema (name) AS (
    SELECT pg_catalog.jsonb_array_elements_text($2::jsonb)
), need (tab, rights) AS (VALUES
    ('odk_sync_schema', '{SELECT}'::text[]),
    ('odk_sync_status', '{SELECT,INSERT,UPDATE}'),
    ('odk_sync_history', '{SELECT,INSERT,UPDATE,DELETE}'),
    ('odk_sync_queue', '{SELECT,INSERT,UPDATE,DELETE}'),
    ('odk_sync_slot', '{SELECT,INSERT,UPDATE}'),
    ('odk_sync_cursor', '{SELECT,INSERT,UPDATE}'),
    ('odk_sync_column', '{SELECT,INSERT,UPDATE}'),
    ('odk_sync_reject', '{SELECT,INSERT,UPDATE,DELETE}'),
    ('odk_sync_schema_log', '{INSERT}'),
    ('odk_sync_key', '{SELECT,INSERT,UPDATE,DELETE}'),
    ('odk_sync_attachment', '{SELECT,INSERT,UPDATE,DELETE}'),
    ('odk_sync_form', '{SELECT,INSERT,UPDATE}'),
    ('odk_sync_choice', '{SELECT,INSERT,UPDATE}'),
    ('odk_sync_view', '{SELECT,INSERT,UPDATE}'),
    ('odk_sync_form_job', '{SELECT,INSERT,UPDATE}')
), need_key (tab, cols) AS (VALUES
    ('odk_sync_status', '{sync_type}'::name[]),
    ('odk_sync_history', '{id}'),
    ('odk_sync_queue', '{id}'),
    ('odk_sync_slot', '{sync_type}'),
    ('odk_sync_cursor', '{sync_type}'),
    ('odk_sync_column', '{central,form,odata,odk_type,part,path,project,source}'),
    ('odk_sync_key', '{id,sync_type}'),
    ('odk_sync_attachment', '{submission_id,sync_type}'),
    ('odk_sync_form', '{sync_type}'),
    ('odk_sync_choice', '{central,form,language,list,name,project,variant}'),
    ('odk_sync_view', '{central,form,key,kind,odata,project,source}'),
    ('odk_sync_form_job', '{sync_type}'),
    ('odk_sync_form_job', '{central,form,job,project}')
), need_index (name, statement) AS (VALUES
    ('odk_sync_queue_waiting', 'CREATE UNIQUE INDEX odk_sync_queue_waiting ON %s (sync_type) WHERE state IN (''pending'', ''dead'');'),
    ('odk_sync_queue_running', 'CREATE UNIQUE INDEX odk_sync_queue_running ON %s (sync_type) WHERE state = ''running'';')
), tracking AS (
    SELECT n.oid, pg_catalog.quote_ident(n.nspname) AS name
    FROM pg_catalog.pg_namespace n
    WHERE n.nspname = $1::name AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
), rel AS (
    SELECT c.oid, c.relname::text AS tab, c.relrowsecurity,
        pg_catalog.format('%s.%I', t.name, c.relname) AS name
    FROM pg_catalog.pg_class c
    JOIN tracking t ON t.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relname ^@ 'odk_sync_'
), lacking AS (
    SELECT r.name, pg_catalog.string_agg(p.p, ', ' ORDER BY p.n) AS rights
    FROM rel r
    JOIN need USING (tab),
        pg_catalog.unnest(need.rights) WITH ORDINALITY AS p (p, n)
    WHERE NOT pg_catalog.has_table_privilege(r.oid, p.p)
    GROUP BY r.name
), wanted AS (
    SELECT s.name, n.oid, s.name IN (SELECT f.name FROM form_schema f) AS for_forms
    FROM (SELECT $1::text UNION SELECT f.name FROM form_schema f) AS s (name)
    LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = s.name::name
), finding (step, code, message, fix) AS (
    SELECT 1, 78, pg_catalog.format('the database is in %s, not in UTF8: what people write in other characters cannot be stored',
            pg_catalog.pg_encoding_to_char(d.encoding)),
        pg_catalog.format('Make a database with CREATE DATABASE ... ENCODING ''UTF8'' TEMPLATE template0, restore a dump of %I into it, and set dbname in [database].',
            d.datname)
    FROM pg_catalog.pg_database d
    WHERE d.datname = pg_catalog.current_database()
        AND pg_catalog.pg_encoding_to_char(d.encoding) <> 'UTF8'
    UNION ALL
    SELECT 2, 75, 'the server is a standby, and read-only',
        'Connect to the primary: check host in [database], or set target_session_attrs = read-write there.'
    WHERE pg_catalog.pg_is_in_recovery()
    UNION ALL
    SELECT 2, 75, pg_catalog.format('role %s may only read here: default_transaction_read_only is on', m.role),
        CASE s.source
            WHEN 'database' THEN pg_catalog.format('ALTER DATABASE %I RESET default_transaction_read_only;', pg_catalog.current_database())
            WHEN 'user' THEN pg_catalog.format('ALTER ROLE %s RESET default_transaction_read_only;', m.role)
            WHEN 'database user' THEN pg_catalog.format('ALTER ROLE %s IN DATABASE %I RESET default_transaction_read_only;', m.role, pg_catalog.current_database())
            WHEN 'client' THEN 'Take default_transaction_read_only out of options in [database], or of PGOPTIONS.'
            ELSE pg_catalog.format('ALTER ROLE %s SET default_transaction_read_only = off;', m.role) END
    FROM me m, pg_catalog.pg_settings s
    WHERE s.name = 'default_transaction_read_only' AND s.setting = 'on'
        AND NOT pg_catalog.pg_is_in_recovery()
    UNION ALL
    SELECT 3, 77, pg_catalog.format('role %s may not make temporary tables', m.role),
        pg_catalog.format('GRANT TEMPORARY ON DATABASE %I TO %s;', pg_catalog.current_database(), m.role)
    FROM me m
    WHERE NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMP')
    UNION ALL
    SELECT 4, 78, pg_catalog.format('there is no schema %I', w.name),
        pg_catalog.format('odk-sync init, or: CREATE SCHEMA %I AUTHORIZATION %s;', w.name, m.role)
    FROM me m, wanted w
    WHERE w.oid IS NULL
    UNION ALL
    SELECT 4, 77, pg_catalog.format('role %s may not %s schema %I', m.role,
            CASE WHEN w.for_forms AND pg_catalog.has_schema_privilege(w.oid, 'USAGE')
                THEN 'create tables in' ELSE 'use' END, w.name),
        pg_catalog.format('GRANT %s ON SCHEMA %I TO %s;',
            CASE WHEN w.for_forms THEN 'USAGE, CREATE' ELSE 'USAGE' END,
            w.name, m.role)
    FROM me m, wanted w
    WHERE w.oid IS NOT NULL
        AND NOT (pg_catalog.has_schema_privilege(w.oid, 'USAGE')
            AND (NOT w.for_forms OR pg_catalog.has_schema_privilege(w.oid, 'CREATE')))
    UNION ALL
    SELECT 5, 77, pg_catalog.format('role %s lacks %s on %s', m.role, l.rights,
            pg_catalog.string_agg(l.name, ', ' ORDER BY l.name)),
        pg_catalog.format('GRANT %s ON %s TO %s;', l.rights,
            pg_catalog.string_agg(l.name, ', ' ORDER BY l.name), m.role)
    FROM me m, lacking l
    GROUP BY m.role, l.rights
    UNION ALL
    -- an identity column needs no right on its sequence
    SELECT 6, 77, pg_catalog.format('role %s may not use sequence %s.%I', m.role, t.name, s.relname),
        pg_catalog.format('GRANT USAGE ON SEQUENCE %s.%I TO %s;', t.name, s.relname, m.role)
    FROM me m, tracking t
    JOIN pg_catalog.pg_class s ON s.relnamespace = t.oid AND s.relkind = 'S'
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid
        AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'a'
    JOIN rel ON rel.oid = d.refobjid
    WHERE CASE WHEN s.relkind = 'S'
        THEN NOT pg_catalog.has_sequence_privilege(s.oid, 'USAGE') END
    UNION ALL
    SELECT 7, 77, pg_catalog.format('role %s may not call %s of the odk_sync_*() functions', m.role, pg_catalog.count(*)),
        pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %s;',
            pg_catalog.string_agg(pg_catalog.format('%s.%I(%s)', t.name, p.proname,
                pg_catalog.pg_get_function_identity_arguments(p.oid)), ', ' ORDER BY p.proname),
            m.role)
    FROM me m, tracking t
    JOIN pg_catalog.pg_proc p ON p.pronamespace = t.oid AND p.proname ^@ 'odk_sync_'
    WHERE NOT pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
    GROUP BY m.role
    UNION ALL
    SELECT 8, 77, pg_catalog.format('row level security hides rows of %s from role %s', r.name, m.role),
        pg_catalog.format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY; or: ALTER ROLE %s BYPASSRLS;', r.name, m.role)
    FROM me m, rel r
    WHERE pg_catalog.row_security_active(r.oid)
    UNION ALL
    SELECT 9, 78, pg_catalog.format('%s has no unique index on (%s)', r.name, pg_catalog.array_to_string(k.cols, ', ')),
        pg_catalog.format('ALTER TABLE %s ADD %s (%s);', r.name,
            CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_index i
                WHERE i.indrelid = r.oid AND i.indisprimary)
                OR k.cols = '{central,form,job,project}'
                THEN 'UNIQUE' ELSE 'PRIMARY KEY' END,
            pg_catalog.array_to_string(k.cols, ', '))
    FROM need_key k
    JOIN rel r USING (tab)
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_index i
        WHERE i.indrelid = r.oid AND i.indisunique AND i.indisvalid
            AND i.indimmediate AND i.indpred IS NULL
            AND (SELECT pg_catalog.array_agg(a.attname ORDER BY a.attname)
                FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = i.indrelid
                    AND a.attnum = ANY (i.indkey::smallint[])) = k.cols)
    UNION ALL
    SELECT 9, 78, pg_catalog.format('%s has no index %s', r.name, x.name),
        pg_catalog.format(x.statement, r.name)
    FROM need_index x
    JOIN rel r ON r.tab = 'odk_sync_queue'
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = r.oid AND i.indisunique AND i.indisvalid
            AND c.relname = x.name)
    UNION ALL
    SELECT 10, 0, pg_catalog.format('trigger %I of %s is disabled', g.tgname, r.name),
        pg_catalog.format('ALTER TABLE %s ENABLE TRIGGER %I;', r.name, g.tgname)
    FROM rel r
    JOIN pg_catalog.pg_trigger g ON g.tgrelid = r.oid AND g.tgname ^@ 'odk_sync_'
    WHERE NOT g.tgisinternal AND g.tgenabled = 'D'
)
SELECT f.code, f.message, f.fix
FROM (SELECT step, code, message, fix FROM finding
    UNION ALL
    SELECT 0, -1, pg_catalog.format('role %s may do all that a run does', m.role), ''
    FROM me m
    WHERE NOT EXISTS (SELECT FROM finding WHERE code > 0)) f
ORDER BY f.step, f.message
