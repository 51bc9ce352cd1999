-- returns 0..* rows of 6 columns, takes 0 parameters
SELECT sync_type, job, central, project, form, gone_at IS NOT NULL
FROM {schema}.odk_sync_form_job
ORDER BY sync_type
