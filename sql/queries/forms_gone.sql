-- returns 0..* rows of 2 columns, takes 4 parameters
WITH gone AS (
    UPDATE {schema}.odk_sync_form_job
    SET gone_at = clock_timestamp()
    WHERE job = $1 AND gone_at IS NULL
        AND (central <> $2 OR project <> $3::bigint
            OR form NOT IN (SELECT f->>1
                FROM json_array_elements($4::json) f))
    RETURNING sync_type, form
), waiting AS (
    DELETE FROM {schema}.odk_sync_queue q
    USING gone
    WHERE q.sync_type = gone.sync_type AND q.state IN ('pending', 'dead')
)
SELECT sync_type, form FROM gone ORDER BY sync_type
