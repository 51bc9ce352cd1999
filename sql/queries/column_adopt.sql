-- returns 0..0 rows of 0 columns, takes 5 parameters
-- Replace the names of OData by those of the form, as mapped by the object $5;
-- null where several questions have the same name in OData.
WITH views AS (
    UPDATE {schema}.odk_sync_view v SET odata = $5::jsonb ->> v.odata
    WHERE v.central = $1 AND v.project = $2 AND v.form = $3 AND v.source = $4
        AND $5::jsonb ->> v.odata IS NOT NULL
        AND EXISTS (SELECT FROM {schema}.odk_sync_column c
            WHERE c.central = $1 AND c.project = $2 AND c.form = $3
                AND c.source = $4 AND c.odata = v.odata AND NOT c.of_form)
)
UPDATE {schema}.odk_sync_column c
SET of_form = true,
    odata = coalesce($5::jsonb ->> c.odata, c.odata),
    path = CASE WHEN EXISTS (SELECT FROM {schema}.odk_sync_column o
            WHERE o.central = $1 AND o.project = $2 AND o.form = $3
                AND o.source = $4 AND o.path = $5::jsonb ->> c.path)
        THEN c.path
        ELSE coalesce($5::jsonb ->> c.path, c.path) END
WHERE c.central = $1 AND c.project = $2 AND c.form = $3 AND c.source = $4
    AND NOT c.of_form
