-- returns 0..* rows of 1 columns, takes 3 parameters
SELECT DISTINCT c.list
FROM (
    SELECT list FROM {schema}.odk_sync_choice
    WHERE central = $1 AND project = $2 AND form = $3
    GROUP BY list, language, name HAVING count(*) > 1
) c
