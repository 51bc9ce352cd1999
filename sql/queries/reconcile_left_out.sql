-- returns 0..0 rows of 0 columns, takes 2 parameters
DELETE FROM {schema}.odk_sync_reject t
WHERE t.sync_type = $1 AND t.submitted_at IS NOT NULL
    AND t.rejected_at <= $2::timestamptz
    AND NOT EXISTS (SELECT FROM {schema}.odk_sync_key k
        WHERE k.sync_type = $1 AND k.id = t.submission_id
            AND k.deleted_at IS NULL)
