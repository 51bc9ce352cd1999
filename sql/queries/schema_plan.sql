-- returns 0..* rows of 3 columns, takes 3 parameters
-- $1 tracking schema, $2 schemas of forms' tables, $3 are steps missing?
-- What comes before them, in the shape of schema_adopt.sql.
WITH wanted AS (
    SELECT s.name, n.oid, s.name = $1::text AND $3::boolean AS steps
    FROM (VALUES ($1::text)
        UNION SELECT unnest($2::text[])) AS s (name)
    LEFT JOIN pg_namespace n ON n.nspname = s.name
), finding (refusal, words, statement) AS (
    SELECT '55000', format('the database is in %s, not in UTF8: what people write in other characters could not be stored',
            pg_encoding_to_char(d.encoding)),
        'Make a database with CREATE DATABASE ... ENCODING ''UTF8'' TEMPLATE template0, and set dbname in [database].'
    FROM pg_catalog.pg_database d
    WHERE d.datname = current_database()
        AND pg_encoding_to_char(d.encoding) <> 'UTF8'
        AND $3::boolean AND NOT EXISTS (SELECT FROM wanted w
            JOIN pg_class c ON c.relnamespace = w.oid
            WHERE w.name = $1::text AND c.relname = 'odk_sync_schema')
    UNION ALL
    SELECT '42501', format('role %I may not create schema %I', current_user,
            w.name),
        format('CREATE SCHEMA %I AUTHORIZATION %I;', w.name, current_user)
    FROM wanted w
    WHERE w.oid IS NULL
        AND NOT has_database_privilege(current_database(), 'CREATE')
    UNION ALL
    SELECT '42501', format('role %I may not create tables in schema %I',
            current_user, w.name),
        format('GRANT USAGE, CREATE ON SCHEMA %I TO %I;', w.name,
            current_user)
    FROM wanted w
    WHERE w.steps AND NOT (has_schema_privilege(w.oid, 'USAGE')
        AND has_schema_privilege(w.oid, 'CREATE'))
    UNION ALL
    SELECT '42501', format('the odk_sync_* tables belong to role %I, and role %I may not change them',
            o.rolname, current_user),
        format('Let %I run the output of "odk-sync init --print".', o.rolname)
    FROM wanted w
    JOIN pg_class c ON c.relnamespace = w.oid AND c.relname = 'odk_sync_schema'
    JOIN pg_roles o ON o.oid = c.relowner
    WHERE w.steps AND NOT pg_has_role(c.relowner, 'USAGE')
    UNION ALL
    SELECT NULL, format('create schema %I', w.name),
        format('CREATE SCHEMA %I', w.name)
    FROM wanted w WHERE w.oid IS NULL
)
SELECT refusal, words, statement
FROM finding
ORDER BY refusal, words, statement
