-- returns 0..0 rows of 0 columns, takes 8 parameters
INSERT INTO {schema}.odk_sync_form AS f (sync_type, digest, central, project, form,
    source, title, languages)
VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8::jsonb, '[]'))
ON CONFLICT (sync_type) DO UPDATE
SET digest = excluded.digest, central = excluded.central,
    project = excluded.project, form = excluded.form, source = excluded.source,
    title = coalesce(excluded.title, f.title),
    languages = CASE WHEN $8::jsonb IS NULL THEN f.languages
        ELSE excluded.languages END,
    updated_at = clock_timestamp()
