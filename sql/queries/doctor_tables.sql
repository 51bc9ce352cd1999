-- returns 0..* rows of 3 columns, takes 5 parameters
-- What of the tables and views of form or dataset $1 to $4 would make a run
-- fail: as doctor_database.sql, and with code -1 what is good to know. $5: is it
-- to be an error that a table belongs to another role?
WITH me AS (
    SELECT pg_catalog.quote_ident(current_user) AS role
), given AS (
    SELECT DISTINCT c.table_schema AS nsp, c.table_name AS tab, false AS is_view
    FROM {schema}.odk_sync_column c
    WHERE c.odk_type = 'table' AND c.central = $1 AND c.project = $2::bigint
        AND c.form = $3 AND c.source = $4
    UNION
    SELECT v.view_schema, v.view_name, true
    FROM {schema}.odk_sync_view v
    WHERE v.kind <> 'table' AND v.digest IS NOT NULL AND v.central = $1
        AND v.project = $2::bigint AND v.form = $3 AND v.source = $4
), rel AS (
    SELECT c.oid, c.relkind, c.relowner, given.is_view,
        pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
        CASE WHEN given.is_view THEN 'view' ELSE 'table' END AS what
    FROM given
    JOIN pg_catalog.pg_namespace n ON n.nspname = given.nsp::name
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = given.tab::name
), tab AS (
    SELECT * FROM rel WHERE NOT is_view AND relkind IN ('r', 'p')
), lacking AS (
    SELECT t.name, pg_catalog.string_agg(p.p, ', ' ORDER BY p.n) AS rights
    FROM tab t,
        pg_catalog.unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[])
            WITH ORDINALITY AS p (p, n)
    WHERE NOT pg_catalog.has_table_privilege(t.oid, p.p)
    GROUP BY t.name
), finding (step, code, message, fix) AS (
    SELECT 1, 78, pg_catalog.format('%s is not a table any more', r.name),
        'Restore the table that odk-sync made.'
    FROM rel r
    WHERE NOT r.is_view AND r.relkind NOT IN ('r', 'p')
    UNION ALL
    SELECT 2, 77, pg_catalog.format('role %s lacks %s on %s', m.role, l.rights,
            pg_catalog.string_agg(l.name, ', ' ORDER BY l.name)),
        pg_catalog.format('GRANT %s ON %s TO %s;', l.rights,
            pg_catalog.string_agg(l.name, ', ' ORDER BY l.name), m.role)
    FROM me m, lacking l
    GROUP BY m.role, l.rights
    UNION ALL
    SELECT 3, CASE WHEN $5::boolean AND NOT r.is_view THEN 77 ELSE 0 END,
        pg_catalog.format('%s %s belongs to role %I: role %s cannot change it for a new version of the form',
            r.what, r.name, o.rolname, m.role),
        CASE WHEN o.rolsuper
            THEN pg_catalog.format('ALTER %s %s OWNER TO %s;', pg_catalog.upper(r.what), r.name, m.role)
            ELSE pg_catalog.format('GRANT %I TO %s; or: ALTER %s %s OWNER TO %s;', o.rolname,
                m.role, pg_catalog.upper(r.what), r.name, m.role) END
    FROM me m, rel r
    JOIN pg_catalog.pg_roles o ON o.oid = r.relowner
    WHERE NOT pg_catalog.pg_has_role(r.relowner, 'USAGE')
    UNION ALL
    -- a policy that lets everything through does no harm
    SELECT 4, 77, pg_catalog.format('row level security applies to role %s on %s: rows would be hidden or refused',
            m.role, t.name),
        pg_catalog.format('ALTER ROLE %s BYPASSRLS; or: ALTER TABLE %s DISABLE ROW LEVEL SECURITY; or: CREATE POLICY odk_sync ON %2$s TO %1$s USING (true);',
            m.role, t.name)
    FROM me m, tab t
    WHERE pg_catalog.row_security_active(t.oid)
        AND (NOT EXISTS (SELECT FROM pg_catalog.pg_policy p
                WHERE p.polrelid = t.oid AND p.polpermissive AND p.polcmd = '*'
                    AND pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true'
                    AND coalesce(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid),
                        'true') = 'true'
                    AND EXISTS (SELECT FROM pg_catalog.unnest(p.polroles) AS x (role)
                        WHERE x.role = 0 OR pg_catalog.pg_has_role(x.role, 'USAGE')))
            OR EXISTS (SELECT FROM pg_catalog.pg_policy p
                WHERE p.polrelid = t.oid AND NOT p.polpermissive))
    UNION ALL
    SELECT 5, 78, pg_catalog.format('table %s has no primary key (_id)', t.name),
        pg_catalog.format('ALTER TABLE %s ADD PRIMARY KEY (_id);', t.name)
    FROM tab t
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid
            AND a.attnum = i.indkey[0]
        WHERE i.indrelid = t.oid AND i.indisunique AND i.indisvalid
            AND i.indimmediate AND i.indpred IS NULL AND i.indnkeyatts = 1
            AND a.attname = '_id')
    UNION ALL
    SELECT 6, -1, pg_catalog.format('trigger %I on %s, which calls %s, is not part of odk-sync',
            g.tgname, t.name, g.tgfoid::regprocedure), ''
    FROM tab t
    JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.oid
    WHERE NOT g.tgisinternal AND g.tgenabled <> 'D'
    UNION ALL
    SELECT 6, 0, pg_catalog.format('rule %I on %s is not part of odk-sync, and may stand in the way of writing',
            u.rulename, t.name),
        pg_catalog.format('If a run fails, make it a trigger, and: DROP RULE %I ON %s;', u.rulename, t.name)
    FROM tab t
    JOIN pg_catalog.pg_rewrite u ON u.ev_class = t.oid
    WHERE u.ev_enabled <> 'D'
)
SELECT code, message, fix
FROM finding
ORDER BY step, message
