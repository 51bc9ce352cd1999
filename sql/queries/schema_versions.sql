-- returns 0..* rows of 3 columns, takes 1 parameters
-- $1: this program's migrations, [[version, text], ...]; one row for every
-- version that either side knows
SELECT s.version AS applied, m.version AS known,
    s.checksum = encode(sha256(convert_to(m.text, 'UTF8')), 'hex') AS same
FROM odk_sync_schema s
FULL JOIN (
    SELECT (e->>0)::integer AS version, e->>1 AS text
    FROM json_array_elements($1::json) e
) m ON m.version = s.version
ORDER BY coalesce(s.version, m.version)
