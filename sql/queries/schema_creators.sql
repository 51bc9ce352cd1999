-- returns 0..* rows of 2 columns, takes 0 parameters
-- Who may create in the tracking schema though neither its owner, nor this role,
-- nor a superuser, and which functions of our names such roles made there; and
-- the statement that ends it.
WITH tracking AS (
    SELECT n.oid, n.nspname, n.nspowner, n.nspacl, t.relowner
    FROM pg_namespace n
    LEFT JOIN pg_class t ON t.relnamespace = n.oid
        AND t.relname = 'odk_sync_schema'
    WHERE n.nspname = {schema_name}
), other AS (
    SELECT r.oid, r.rolname
    FROM tracking n
    JOIN pg_roles r ON r.oid <> n.nspowner
        AND r.oid IS DISTINCT FROM n.relowner
    WHERE r.rolname <> current_user AND NOT r.rolsuper
), finding (step, message, fix) AS (
    SELECT DISTINCT 1, format('%s may create objects in schema %I, where the tracking tables are',
            CASE WHEN a.grantee = 0 THEN 'every role'
                ELSE format('role %I', o.rolname) END, n.nspname),
        format('REVOKE CREATE ON SCHEMA %I FROM %s;', n.nspname,
            CASE WHEN a.grantee = 0 THEN 'PUBLIC'
                ELSE quote_ident(o.rolname) END)
    FROM tracking n
    CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
    LEFT JOIN other o ON o.oid = a.grantee
    WHERE a.privilege_type = 'CREATE' AND (a.grantee = 0 OR o.oid IS NOT NULL)
    UNION ALL
    SELECT 2, format('function %I.%I(%s) was made by role %I, not by odk-sync',
            n.nspname, p.proname, pg_get_function_identity_arguments(p.oid),
            o.rolname),
        format('DROP FUNCTION %I.%I(%s);', n.nspname, p.proname,
            pg_get_function_identity_arguments(p.oid))
    FROM tracking n
    JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname ^@ 'odk_sync_'
    JOIN other o ON o.oid = p.proowner
)
SELECT message, fix FROM finding ORDER BY step, message
