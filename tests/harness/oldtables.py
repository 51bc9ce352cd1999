# tests/harness/oldtables.py - SPDX-License-Identifier: Apache-2.0
"""odk_sync_status and odk_sync_history as the Python service, its guides and
people's own hands made them, with rows, and with what people hang on them."""

import re

CODE = """
CREATE TABLE odk_sync_status (
    sync_type varchar(50) NOT NULL,
    last_sync_timestamp timestamptz,
    last_attempt_timestamp timestamptz NOT NULL,
    last_sync_status varchar(20) NOT NULL,
    last_error_message text,
    successful_sync_count integer NOT NULL,
    failed_sync_count integer NOT NULL,
    last_records_processed integer,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (sync_type));
CREATE TABLE odk_sync_history (
    id serial NOT NULL,
    sync_type varchar(50) NOT NULL,
    sync_timestamp timestamptz NOT NULL,
    status varchar(20) NOT NULL,
    records_processed integer,
    duration_seconds integer,
    error_message text,
    sync_metadata text,
    service_instance varchar(100),
    PRIMARY KEY (id));
CREATE INDEX ix_odk_sync_history_sync_timestamp
    ON odk_sync_history (sync_timestamp);
CREATE INDEX ix_odk_sync_history_sync_type ON odk_sync_history (sync_type);
"""

GUIDE = """
CREATE TABLE odk_sync_status (
    sync_type varchar(50) PRIMARY KEY,
    last_sync_timestamp timestamptz,
    last_attempt_timestamp timestamptz,
    last_sync_status varchar(20) DEFAULT 'pending',
    last_error_message text,
    successful_sync_count integer DEFAULT 0,
    failed_sync_count integer DEFAULT 0,
    last_records_processed integer,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now());
CREATE TABLE odk_sync_history (
    id serial PRIMARY KEY,
    sync_type varchar(50) NOT NULL,
    sync_timestamp timestamptz DEFAULT now(),
    status varchar(20) NOT NULL,
    records_processed integer,
    duration_seconds integer,
    error_message text,
    metadata text,
    service_instance varchar(100));
"""

# Without keys, defaults, some columns, and too short.
BARE = """
CREATE TABLE odk_sync_status (
    sync_type varchar(30),
    last_sync_timestamp timestamptz NOT NULL,
    last_sync_status varchar(24),
    last_error_message varchar(1500) NOT NULL,
    successful_sync_count bigint);
CREATE TABLE odk_sync_history (
    id integer,
    sync_type text,
    sync_timestamp timestamptz,
    status text,
    sync_metadata varchar(2000),
    service_instance varchar(60));
"""

BOTH = CODE + "ALTER TABLE odk_sync_history ADD COLUMN metadata text;"

VARIANTS = {
    "code": CODE,
    "guide": GUIDE,
    "implementation": GUIDE.replace("    metadata", "    sync_metadata"),
    "both": BOTH,
    "wide": CODE.replace("varchar(50)", "varchar(200)")
                .replace("varchar(100)", "text")
                .replace("varchar(20)", "text")
                .replace("id serial", "id bigserial")
                .replace("integer", "bigint"),
    "extra": CODE + """
        ALTER TABLE odk_sync_status ADD COLUMN "Owner's note" text,
            ADD COLUMN site text NOT NULL DEFAULT 'here';
        ALTER TABLE odk_sync_history ADD COLUMN host inet,
            ADD COLUMN seen boolean NOT NULL DEFAULT false;""",
    "bare": BARE,
}

# The two tables of 0001_base.sql, as a restored backup of them leaves them.
OURS = """
ALTER TABLE odk_sync_status ADD CHECK (last_sync_status IN
    ('success', 'error', 'in_progress', 'pending'));
ALTER TABLE odk_sync_history ADD CHECK (status IN
    ('success', 'error', 'in_progress', 'pending'));
CREATE INDEX odk_sync_history_type_time
    ON odk_sync_history (sync_type, sync_timestamp DESC);
CREATE INDEX odk_sync_history_time
    ON odk_sync_history USING brin (sync_timestamp);
"""
VARIANTS["ours"] = GUIDE + OURS

# {table: {column: what a row n has in it}; of these, those that are there.
# n is a number from 1, t a time that grows with it.
ROWS = {
    "odk_sync_status": {
        "sync_type": """(ARRAY['main_submissions', 'person_details',
            'image_processing', 'url_refresh', 'main_submissions_migration',
            'тип данных', 'kiosk "7"; --', rpad('x', @short@, 'y')])[n]""",
        "last_sync_timestamp": """CASE n WHEN 1 THEN '2025-01-01 10:00:00.123Z'
            WHEN 2 THEN '2099-12-31 23:59:59Z' WHEN 3 THEN @null_time@
            ELSE t END""",
        "last_attempt_timestamp": "t",
        "last_sync_status": """(ARRAY['success', 'error', 'in_progress',
            'pending'])[1 + n % 4]""",
        "last_error_message": """CASE n % 3 WHEN 0 THEN @null_text@
            WHEN 1 THEN repeat('é', 1000) ELSE E'line 1\\nline 2 ☃' END""",
        "successful_sync_count": "CASE WHEN n = 4 THEN @null_count@ ELSE n END",
        "failed_sync_count": "CASE WHEN n = 5 THEN @null_count@ ELSE 0 END",
        "last_records_processed": "CASE WHEN n > 2 THEN n * 1000 END",
        "created_at": "t",
        "updated_at": "t + interval '1 hour'",
    },
    "odk_sync_history": {
        "id": "n",
        "sync_type": """(ARRAY['main_submissions', 'person_details',
            'image_processing', 'url_refresh', 'тип данных', 'gone'])
            [1 + n % 6]""",
        "sync_timestamp": "CASE WHEN n = 77 THEN @null_time@ ELSE t END",
        "status": """CASE WHEN n % 97 = 0 THEN 'in_progress'
            WHEN n % 10 = 1 THEN 'error' ELSE 'success' END""",
        "records_processed": "CASE WHEN n % 10 <> 1 THEN n END",
        "duration_seconds": "CASE WHEN n % 97 > 0 THEN n % 600 END",
        "error_message": """CASE WHEN n = 11 THEN repeat('x', 1000)
            WHEN n % 10 = 1 THEN 'Connection aborted → é' END""",
        "sync_metadata": """CASE n % 5 WHEN 0 THEN NULL
            WHEN 1 THEN '{"raw_records_fetched": ' || n || '}'
            WHEN 2 THEN '{"note": "caf\\u00e9 ☃", "threshold_hours": 2}'
            WHEN 3 THEN '' ELSE 'not { JSON' END""",
        "service_instance": """CASE n % 4 WHEN 0 THEN NULL
            WHEN 1 THEN 'odk-sync-6d5f8-x7k2p-1' ELSE
            rpad('host', 50, 'e') || '-' || n END""",
    },
}
ROWS["odk_sync_history"]["metadata"] = \
    ROWS["odk_sync_history"]["sync_metadata"]
ROLES = ("reader", "columns", "service")
COUNTS = {"odk_sync_status": 8, "odk_sync_history": 400}


def columns(session, table):
    """{name: may it be NULL?} of a table in the search_path."""
    return {row["attname"]: not row["attnotnull"] for row in session.rows(
        "SELECT attname, attnotnull FROM pg_attribute"
        f" WHERE attrelid = '{table}'::regclass AND attnum > 0"
        " AND NOT attisdropped ORDER BY attnum")}


def fill(session, table):
    """Put the rows into one of the tables, odd ones among them."""
    there = columns(session, table)
    values = {name: value for name, value in ROWS[table].items()
              if name in there}
    odd = {
        "short": "30" if "failed_sync_count" not in there else "50",
        "null_time": "NULL" if there.get("last_sync_timestamp",
                                         there.get("sync_timestamp"))
                     else "'2020-02-29Z'",
        "null_text": "NULL" if there.get("last_error_message") else "''",
        "null_count": "NULL" if there.get("successful_sync_count") else "7",
    }
    select = ", ".join(re.sub("@(.*?)@", lambda name: odd[name[1]], value)
                       for value in values.values())
    session.run(f"INSERT INTO {table} ({', '.join(values)}) SELECT {select}"
                f" FROM (SELECT n, timestamptz '2025-01-01Z' + n *"
                " interval '1 hour 1 millisecond' AS t"
                f" FROM generate_series(1, {COUNTS[table]}) n) s")
    if "id" in values and session.run(
            f"SELECT pg_get_serial_sequence('{table}', 'id')"):
        session.run(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"
                    f" {COUNTS[table]})")


def hang_on(session, role):
    """What people hang on the tables; role is a prefix for three roles."""
    schema = session.run("SELECT current_schema()")
    session.run(f"""
        CREATE ROLE {role}_reader;
        CREATE ROLE {role}_columns;
        CREATE ROLE {role}_service;
        GRANT USAGE ON SCHEMA {schema} TO {role}_service;
        GRANT SELECT ON odk_sync_status, odk_sync_history TO {role}_reader;
        GRANT SELECT (sync_type, last_sync_status), UPDATE (last_sync_status)
            ON odk_sync_status TO {role}_columns;
        GRANT SELECT, INSERT, UPDATE ON odk_sync_status, odk_sync_history
            TO {role}_service;
        CREATE VIEW old_monitor AS
            SELECT s.last_sync_status, s.last_sync_timestamp, h.*
            FROM odk_sync_status s CROSS JOIN
                (SELECT id, sync_timestamp FROM odk_sync_history) h;
        GRANT SELECT ON old_monitor TO {role}_reader;
        CREATE TABLE written (what text, id bigint);
        GRANT INSERT ON written TO {role}_service;
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO {schema}.written VALUES (TG_OP, NEW.id);
                RETURN NEW;
            END $$;
        CREATE TRIGGER people_note AFTER INSERT ON odk_sync_history
            FOR EACH ROW EXECUTE FUNCTION note();
        CREATE RULE people_rule AS ON UPDATE TO odk_sync_history
            WHERE NEW.status = 'error'
            DO ALSO INSERT INTO written VALUES ('rule', NEW.id);
        CREATE RULE people_off AS ON DELETE TO odk_sync_history
            DO ALSO INSERT INTO written VALUES ('off', OLD.id);
        ALTER TABLE odk_sync_history DISABLE RULE people_off;
        CREATE TRIGGER people_always AFTER UPDATE ON odk_sync_history
            FOR EACH ROW WHEN (NEW.sync_timestamp < '2026-01-01') EXECUTE FUNCTION note();
        ALTER TABLE odk_sync_history ENABLE ALWAYS TRIGGER people_always;
        CREATE INDEX people_index ON odk_sync_history (status, sync_timestamp);
        COMMENT ON TABLE odk_sync_status IS 'ours since 2019';
        """)
    if session.run("SELECT pg_get_serial_sequence('odk_sync_history', 'id')"):
        session.run("GRANT USAGE ON SEQUENCE odk_sync_history_id_seq"
                    f" TO {role}_service")
