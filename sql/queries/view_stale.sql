-- returns 0..0 rows of 0 columns, takes 3 parameters
WITH comments AS (
    UPDATE odk_sync_view SET comment_digest = NULL
    WHERE central = $1 AND project = $2 AND form = $3 AND kind = 'table')
UPDATE odk_sync_form SET digest = NULL
WHERE central = $1 AND project = $2 AND form = $3
