-- returns 0..* rows of 1 columns, takes 3 parameters
-- The columns of table $2 in schema $1 that a constraint or an index $3 of it is
-- about, those of expressions and conditions among them.
WITH t AS (
    SELECT c.oid
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1::name AND c.relname = $2::name
), about (classid, objid) AS (
    SELECT 'pg_catalog.pg_constraint'::regclass, k.oid
    FROM t
    JOIN pg_catalog.pg_constraint k ON k.conrelid = t.oid
    WHERE k.conname = $3::name
    UNION ALL
    SELECT 'pg_catalog.pg_class'::regclass, c.oid
    FROM t
    JOIN pg_catalog.pg_index i ON i.indrelid = t.oid
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE c.relname = $3::name
)
SELECT DISTINCT a.attname
FROM t
JOIN about ON true
JOIN pg_catalog.pg_depend d
    ON d.classid = about.classid AND d.objid = about.objid
    AND d.refclassid = 'pg_catalog.pg_class'::regclass
    AND d.refobjid = t.oid AND d.refobjsubid > 0
JOIN pg_catalog.pg_attribute a
    ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
