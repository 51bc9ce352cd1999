-- returns 0..0 rows of 0 columns, takes 4 parameters
WITH comments AS (
    UPDATE {schema}.odk_sync_view SET comment_digest = NULL
    WHERE central = $1 AND project = $2 AND form = $3 AND source = $4
        AND kind = 'table')
UPDATE {schema}.odk_sync_form SET digest = NULL
WHERE central = $1 AND project = $2 AND form = $3 AND source = $4
