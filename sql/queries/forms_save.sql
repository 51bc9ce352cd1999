-- returns 0..0 rows of 0 columns, takes 4 parameters
INSERT INTO {schema}.odk_sync_form_job (job, central, project, sync_type, form)
SELECT $1, $2, $3::bigint, f->>0, f->>1
FROM json_array_elements($4::json) f
ON CONFLICT (job, central, project, form) DO UPDATE
SET gone_at = NULL, found_at = clock_timestamp()
WHERE {schema}.odk_sync_form_job.gone_at IS NOT NULL
