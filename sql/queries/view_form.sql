-- returns 0..0 rows of 0 columns, takes 7 parameters
INSERT INTO odk_sync_form AS f (sync_type, digest, central, project, form,
    title, languages)
VALUES ($1, $2, $3, $4, $5, $6, coalesce($7::jsonb, '[]'))
ON CONFLICT (sync_type) DO UPDATE
SET digest = excluded.digest, central = excluded.central,
    project = excluded.project, form = excluded.form,
    title = coalesce(excluded.title, f.title),
    languages = CASE WHEN $7::jsonb IS NULL THEN f.languages
        ELSE excluded.languages END,
    updated_at = clock_timestamp()
