-- returns 0..* rows of 3 columns, takes 2 parameters
-- $1, $2: this program's migrations, versions and checksums; one row for every
-- version that either side knows
SELECT s.version AS applied, m.version AS known,
    s.checksum = m.checksum AS same
FROM {schema}.odk_sync_schema s
FULL JOIN unnest($1::integer[], $2::text[]) AS m(version, checksum)
    ON m.version = s.version
ORDER BY coalesce(s.version, m.version)
