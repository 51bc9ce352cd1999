-- returns 0..* rows of 3 columns, takes 0 parameters
-- What it takes to make ours out of tables of these names that another program
-- made, to be done before the first migration: statements in their order, each
-- with its words unless it is not worth any. A row with a refusal, which is an
-- SQLSTATE, comes first: why it cannot be done, and a hint. The tables are
-- renamed in the end; 0002_adoption.sql puts them in the place of the new ones.
WITH wanted (tab, n, col, type, size, needed, empty, def) AS (VALUES
    -- needed: without it the table is something else; empty: we write NULL
    ('odk_sync_status', 1, 'sync_type', 'varchar', 50, true, false, NULL),
    ('odk_sync_status', 2, 'last_sync_timestamp', 'timestamptz', 0, true, true, NULL),
    ('odk_sync_status', 3, 'last_attempt_timestamp', 'timestamptz', 0, false, false, NULL),
    ('odk_sync_status', 4, 'last_sync_status', 'varchar', 20, true, false, '''pending'''),
    ('odk_sync_status', 5, 'last_error_message', 'text', 0, false, true, NULL),
    ('odk_sync_status', 6, 'successful_sync_count', 'integer', 0, false, false, '0'),
    ('odk_sync_status', 7, 'failed_sync_count', 'integer', 0, false, false, '0'),
    ('odk_sync_status', 8, 'last_records_processed', 'integer', 0, false, true, NULL),
    ('odk_sync_status', 9, 'created_at', 'timestamptz', 0, false, false, 'now()'),
    ('odk_sync_status', 10, 'updated_at', 'timestamptz', 0, false, false, 'now()'),
    ('odk_sync_history', 1, 'id', 'integer', 0, true, false, NULL),
    ('odk_sync_history', 2, 'sync_type', 'varchar', 50, true, false, NULL),
    ('odk_sync_history', 3, 'sync_timestamp', 'timestamptz', 0, true, false, 'now()'),
    ('odk_sync_history', 4, 'status', 'varchar', 20, true, false, NULL),
    ('odk_sync_history', 5, 'records_processed', 'integer', 0, false, true, NULL),
    ('odk_sync_history', 6, 'duration_seconds', 'integer', 0, false, true, NULL),
    ('odk_sync_history', 7, 'error_message', 'text', 0, false, true, NULL),
    ('odk_sync_history', 8, 'metadata', 'text', 0, false, true, NULL),
    ('odk_sync_history', 9, 'sync_metadata', 'text', 0, false, true, NULL),
    ('odk_sync_history', 10, 'service_instance', 'varchar', 100, false, true, NULL)
), relation AS (
    SELECT c.oid, c.relname AS tab, c.relkind AS kind, c.relowner AS owner,
        c.relnamespace AS schema, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = {schema_name}
        AND c.relname IN ('odk_sync_status', 'odk_sync_history')
        AND NOT EXISTS (SELECT FROM pg_class o
            WHERE o.relnamespace = n.oid AND o.relname = 'odk_sync_schema')
), found AS (
    SELECT r.*, w.n, w.col, w.type, w.size, w.needed, w.empty,
        coalesce(w.def, CASE WHEN w.col = 'last_attempt_timestamp'
            AND a.attnotnull THEN 'now()' END) AS def,
        w.type || CASE WHEN w.size > 0 THEN format('(%s)', w.size)
            ELSE '' END AS full_type,
        a.attnum, coalesce(a.attnotnull, false) AS not_null,
        coalesce(a.atthasdef OR a.attidentity <> '', false) AS has_def,
        format_type(a.atttypid, a.atttypmod) AS found_type,
        a.atttypid IN ('text'::regtype, 'varchar'::regtype)
            AND w.type IN ('text', 'varchar')
            OR a.atttypid IN ('integer'::regtype, 'bigint'::regtype)
            AND w.type = 'integer'
            OR a.atttypid = 'timestamptz'::regtype
            AND w.type = 'timestamptz' AS fits,
        a.atttypid = 'varchar'::regtype AND a.atttypmod >= 0
            AND (w.type = 'text' OR a.atttypmod - 4 < w.size) AS short,
        -- what depends on a column forbids to change its type
        (SELECT min(v.oid::regclass::text)
            FROM pg_depend d
            JOIN pg_rewrite u ON u.oid = d.objid
            JOIN pg_class v ON v.oid = u.ev_class
            WHERE d.classid = 'pg_rewrite'::regclass
                AND d.refclassid = 'pg_class'::regclass
                AND d.refobjid = r.oid AND d.refobjsubid = a.attnum) AS viewed
    FROM relation r
    JOIN wanted w ON w.tab = r.tab
    LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attname = w.col
        AND a.attnum > 0 AND NOT a.attisdropped
    WHERE r.kind = 'r'
), key AS (
    SELECT f.*,
        EXISTS (SELECT FROM pg_index i WHERE i.indrelid = f.oid
            AND i.indisprimary) AS other,
        EXISTS (SELECT FROM pg_index i WHERE i.indrelid = f.oid
            AND i.indisunique AND i.indisvalid AND i.indimmediate
            AND i.indpred IS NULL AND i.indnkeyatts = 1
            AND i.indkey[0] = f.attnum) AS there
    FROM found f
    WHERE f.n = 1
), watcher AS ( -- of people; they did not mean what we do to old rows
    SELECT r.name AS tab, 'TRIGGER' AS kind, g.tgname AS name, g.tgenabled AS mode
    FROM relation r
    JOIN pg_trigger g ON g.tgrelid = r.oid
    WHERE NOT g.tgisinternal AND g.tgenabled <> 'D'
    UNION ALL
    SELECT r.name, 'RULE', u.rulename, u.ev_enabled
    FROM relation r
    JOIN pg_rewrite u ON u.ev_class = r.oid
    WHERE r.kind = 'r' AND u.ev_enabled <> 'D'
), foreign_table AS ( -- not what it seems to be
    SELECT r.oid, format('%s is %s', r.name, CASE r.kind
            WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view'
            WHEN 'p' THEN 'a partitioned table' WHEN 'f' THEN 'a foreign table'
            ELSE 'not a table' END) AS words
    FROM relation r WHERE r.kind <> 'r'
    UNION ALL
    SELECT f.oid, format('%s has no column %s', f.name, f.col)
    FROM found f WHERE f.needed AND f.attnum IS NULL
    UNION ALL
    SELECT k.oid, format('%s has a primary key other than (%s)', k.name, k.col)
    FROM key k WHERE k.attnum IS NOT NULL AND k.other AND NOT k.there
), finding (refusal, step, n, words, statement) AS (
    SELECT '55000', 0, 1, words || ': it was not made by the Python service',
        'Set tracking_schema in [database] to another schema, or rename what is there.'
    FROM foreign_table
    UNION ALL
    SELECT '55000', 0, 2, format('column %s of %s is %s, not %s', f.col,
            f.name, f.found_type, f.full_type),
        format('ALTER TABLE %s ALTER COLUMN %s TYPE %s;', f.name, f.col,
            f.full_type)
    FROM found f WHERE NOT f.fits
    UNION ALL
    SELECT '55000', 0, 3, format('column %s of %s is too short, and %s uses it',
            f.col, f.name, f.viewed),
        format('Drop %s, then: ALTER TABLE %s ALTER COLUMN %s TYPE %s; then make it again.',
            f.viewed, f.name, f.col, f.full_type)
    FROM found f WHERE f.fits AND f.short AND f.viewed IS NOT NULL
    UNION ALL
    SELECT '55000', 0, 4, format('column %I of %s is NOT NULL without a default',
            a.attname, r.name),
        format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL;', r.name,
            a.attname)
    FROM relation r
    JOIN pg_attribute a ON a.attrelid = r.oid
    WHERE a.attnum > 0 AND a.attnotnull AND NOT a.atthasdef
        AND a.attidentity = '' AND r.kind = 'r'
        AND r.oid NOT IN (SELECT oid FROM foreign_table)
        AND NOT EXISTS (SELECT FROM wanted w
            WHERE w.tab = r.tab AND w.col = a.attname)
    UNION ALL
    SELECT '55000', 0, 5, format('rule %I of %s stands in the way of writing',
            u.rulename, r.name),
        format('Make it a trigger, and: DROP RULE %I ON %s;', u.rulename,
            r.name)
    FROM relation r
    JOIN pg_rewrite u ON u.ev_class = r.oid
    WHERE r.kind = 'r' AND u.ev_type IN ('2', '3')
        AND (u.is_instead OR r.tab = 'odk_sync_status') -- ON CONFLICT
    UNION ALL
    SELECT '55000', 0, 6, format('%s is in the way of adopting %s', c.relname,
            r.name),
        format('Rename it: ALTER TABLE %I.%I RENAME TO %I;',
            {schema_name}, c.relname, c.relname || '_old')
    FROM relation r
    JOIN pg_class c ON c.relnamespace = r.schema
        AND c.relname = r.tab || '_adopted'
    UNION ALL
    SELECT '55000', 0, 6, format('column %s of %s is generated, and cannot be written',
            f.col, f.name),
        format('ALTER TABLE %s ALTER COLUMN %s DROP EXPRESSION;', f.name, f.col)
    FROM found f
    JOIN pg_attribute a ON a.attrelid = f.oid AND a.attnum = f.attnum
    WHERE a.attgenerated <> ''
    UNION ALL
    -- what a superuser owns is handed over: nobody needs to be one; and from
    -- version 16 on each membership says for itself whether it is inherited
    SELECT '42501', 0, 7, format('%s belongs to role %I, and role %I may not change it',
            r.name, o.rolname, current_user),
        CASE WHEN o.rolsuper
            THEN format('ALTER TABLE %s OWNER TO %I;', r.name, current_user)
            WHEN NOT pg_has_role(r.owner, 'MEMBER')
            THEN format('GRANT %I TO %I;', o.rolname, current_user)
            WHEN current_setting('server_version_num')::int >= 160000
            THEN format('GRANT %I TO %I WITH INHERIT TRUE;', o.rolname,
                current_user)
            ELSE format('ALTER ROLE %I INHERIT;', current_user) END
    FROM relation r
    JOIN pg_roles o ON o.oid = r.owner
    WHERE NOT pg_has_role(r.owner, 'USAGE')
    UNION ALL
    SELECT NULL, 1, s.n, NULL, s.statement
    FROM (SELECT string_agg(name, ', ' ORDER BY tab DESC) AS tabs
        FROM relation) r,
        LATERAL (VALUES
            (1, format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', r.tabs)),
            (2, 'SELECT set_config(''odk_sync.adopting'', ''yes'', true)')
        ) AS s (n, statement)
    WHERE r.tabs IS NOT NULL
    UNION ALL
    SELECT NULL, 1, 3, NULL, format('ALTER TABLE %s DISABLE %s %I', w.tab,
        w.kind, w.name)
    FROM watcher w
    UNION ALL
    SELECT NULL, 2, f.n, format('%s: add column %s', f.name, f.col),
        format('ALTER TABLE %s ADD COLUMN %s %s', f.name, f.col, f.full_type)
    FROM found f WHERE f.attnum IS NULL
    UNION ALL
    SELECT NULL, 3, f.n, format('%s: let column %s be NULL', f.name, f.col),
        format('ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL', f.name, f.col)
    FROM found f WHERE f.empty AND f.not_null
    UNION ALL
    SELECT NULL, 4, f.n, format('%s: widen column %s to %s', f.name, f.col,
            f.full_type),
        format('ALTER TABLE %s ALTER COLUMN %s TYPE %s', f.name, f.col,
            f.full_type)
    FROM found f WHERE f.short
    UNION ALL
    SELECT NULL, 5, f.n, format('%s: default of column %s is %s', f.name, f.col,
            f.def),
        format('ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s', f.name, f.col,
            f.def)
    FROM found f WHERE f.def IS NOT NULL AND NOT f.has_def
    UNION ALL
    SELECT NULL, 6, f.n, format('%s: NULL in column %s becomes 0', f.name,
            f.col),
        format('UPDATE %s SET %2$s = 0 WHERE %2$s IS NULL', f.name, f.col)
    FROM found f WHERE f.def = '0' AND NOT f.not_null
    UNION ALL
    SELECT NULL, 7, 1, format('%s: fill metadata and sync_metadata from each other',
            r.name),
        format('UPDATE %s SET metadata = coalesce(metadata, sync_metadata),'
        ' sync_metadata = coalesce(sync_metadata, metadata)'
        ' WHERE (metadata IS NULL) <> (sync_metadata IS NULL)', r.name)
    FROM relation r WHERE r.tab = 'odk_sync_history'
    UNION ALL
    SELECT NULL, 7, 2, NULL, format('ALTER TABLE %s ENABLE %s%s %I', w.tab,
        CASE w.mode WHEN 'R' THEN 'REPLICA ' WHEN 'A' THEN 'ALWAYS ' ELSE ''
        END, w.kind, w.name)
    FROM watcher w
    UNION ALL
    SELECT NULL, 8, 1, format('%s: add primary key (%s)', k.name, k.col),
        format('ALTER TABLE %s ADD PRIMARY KEY (%s)', k.name, k.col)
    FROM key k WHERE NOT k.there
    UNION ALL
    SELECT NULL, 8, s.n, s.words, format(s.statement, k.name)
    FROM key k, LATERAL (VALUES
        (2, NULL, 'ALTER TABLE %s ALTER COLUMN id SET NOT NULL'),
        (3, k.name || ': give numbers to new rows',
            'ALTER TABLE %s ALTER COLUMN id'
            ' ADD GENERATED BY DEFAULT AS IDENTITY'),
        (4, NULL, 'SELECT setval(pg_get_serial_sequence(%1$L,'
            ' ''id''), coalesce(max(id), 0) + 1, false) FROM %1$s')
        ) AS s (n, words, statement)
    WHERE k.tab = 'odk_sync_history' AND NOT k.has_def
    UNION ALL
    -- rows may have come with their numbers, from a file or another table
    SELECT NULL, 8, 5, NULL, format('SELECT setval(s.seq, m.id)'
        ' FROM (SELECT max(id) AS id FROM %1$s) m,'
        ' (SELECT pg_get_serial_sequence(%1$L, ''id'')::regclass'
        ' AS seq) s WHERE m.id > coalesce(pg_sequence_last_value(s.seq), 0)',
        k.name)
    FROM key k WHERE k.tab = 'odk_sync_history' AND k.has_def
    UNION ALL
    -- a row with another status could not even be updated
    SELECT NULL, 9, 1, format('%s: check %s, unless it has other values', f.name,
            f.col),
        format('DO $check$ BEGIN ALTER TABLE %1$s ADD CONSTRAINT %3$I'
            ' CHECK (%2$s IN (''success'', ''error'', ''in_progress'', ''pending''));'
            ' EXCEPTION WHEN check_violation THEN NULL; END $check$',
            f.name, f.col, f.tab || '_' || f.col || '_check')
    FROM found f
    WHERE f.col IN ('last_sync_status', 'status')
        AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conrelid = f.oid
            AND o.conname = f.tab || '_' || f.col || '_check')
    UNION ALL
    SELECT NULL, 10, 1, format('%s: say what it is for', r.name),
        format('COMMENT ON TABLE %s IS %L', r.name, CASE r.tab
            WHEN 'odk_sync_status' THEN 'odk-sync: how each sync type is doing'
            ELSE 'odk-sync: one row for every attempt, from its first moment'
            END)
    FROM relation r WHERE obj_description(r.oid, 'pg_class') IS NULL
    UNION ALL
    SELECT NULL, 10, 2, NULL, format('COMMENT ON COLUMN %s.last_sync_timestamp'
        ' IS ''submission date of the newest submission stored''', f.name)
    FROM found f
    WHERE f.col = 'last_sync_timestamp'
        AND col_description(f.oid, f.attnum) IS NULL
    UNION ALL
    SELECT NULL, 11, 1, NULL, format('DROP INDEX %s', i.indexrelid::regclass)
    FROM relation r
    JOIN pg_index i ON i.indrelid = r.oid
    JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relname IN ('odk_sync_history_time', 'odk_sync_history_type_time',
        'odk_sync_history_open')
    UNION ALL
    SELECT NULL, 12, 1, CASE r.tab WHEN 'odk_sync_history' THEN format(
            '%s: index it by time; keep metadata and sync_metadata equal',
            r.name) END,
        format('ALTER TABLE %s RENAME TO %I', r.name,
            r.tab || '_adopted')
    FROM relation r
)
SELECT refusal, words, statement
FROM finding
ORDER BY refusal, step, n, words, statement
