-- returns 0..0 rows of 0 columns, takes 5 parameters
WITH languages AS (
    SELECT jsonb_array_elements_text($4) AS language
    UNION
    SELECT language FROM {schema}.odk_sync_choice
    WHERE central = $1 AND project = $2 AND form = $3
), now AS (
    SELECT DISTINCT ON (s.list, s.name, s.variant) s.*
    FROM jsonb_to_recordset($5) AS s (list text, name text, variant text,
        position integer, label text, labels jsonb, properties jsonb)
    ORDER BY s.list, s.name, s.variant, s.position
), gone AS (
    UPDATE {schema}.odk_sync_choice c SET retired_at = clock_timestamp()
    WHERE c.central = $1 AND c.project = $2 AND c.form = $3
        AND c.retired_at IS NULL
        AND NOT EXISTS (SELECT FROM now n
            WHERE n.list = c.list AND n.name = c.name
                AND n.variant = c.variant)
)
INSERT INTO {schema}.odk_sync_choice AS c (central, project, form, list,
    language, name, variant, position, label, properties)
SELECT $1, $2, $3, n.list, l.language, n.name, n.variant, n.position,
    coalesce(n.labels ->> l.language, n.label), n.properties
FROM now n CROSS JOIN languages l
ON CONFLICT (central, project, form, list, language, name, variant) DO UPDATE
SET position = excluded.position, label = excluded.label,
    properties = excluded.properties, retired_at = NULL
WHERE c.position <> excluded.position OR c.label <> excluded.label
    OR c.properties IS DISTINCT FROM excluded.properties
    OR c.retired_at IS NOT NULL
