-- etc/examples/sql/people_flat.sql - SPDX-License-Identifier: Apache-2.0
--
-- One flat table for a dashboard, out of a form and its repeat; for
--
--   [job people_flat]
--   kind = sql
--   sql_file = /etc/odk-sync/sql/people_flat.sql
--   after = main_submissions
--
-- All of it is one transaction: readers see the table as it was, then as it is.
-- It is never dropped, so views on it and GRANTs stay, and TRUNCATE, which
-- would make readers wait, is not needed. Rows that did not change are not
-- written: a refresh without news costs no more than reading.
--
-- The columns are those of the form household_survey of the manual; put your
-- own into the temporary table, and nowhere else.

CREATE TEMPORARY TABLE people_flat_now ON COMMIT DROP AS
SELECT p._id AS person_id, -- the key: not NULL, never twice
    s._id AS submission_id,
    s._submitted_at AS submitted_at,
    s._review_state AS review_state,
    s.district,
    p.sex,
    p.age
FROM v_household_survey s
JOIN v_household_survey__person p ON p._submission_id = s._id;

-- The first time, an empty table of the same columns.
CREATE TABLE IF NOT EXISTS people_flat AS TABLE people_flat_now WITH NO DATA;
CREATE UNIQUE INDEX IF NOT EXISTS people_flat_key ON people_flat (person_id);

-- What is gone or has changed goes; what is new or has changed comes.
DELETE FROM people_flat t
WHERE NOT EXISTS (SELECT FROM people_flat_now n
    WHERE n.person_id = t.person_id AND to_jsonb(n) = to_jsonb(t));

-- The last statement: its rows are the job's records_processed.
INSERT INTO people_flat
SELECT n.* FROM people_flat_now n
WHERE NOT EXISTS (SELECT FROM people_flat t WHERE t.person_id = n.person_id);
