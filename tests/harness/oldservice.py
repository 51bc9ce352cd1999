# tests/harness/oldservice.py - SPDX-License-Identifier: Apache-2.0
"""A service that keeps its books with SQLAlchemy in odk_sync_status and
odk_sync_history, in the columns and with the habits of the Python service:
it reads a counter, adds one and writes it back; it forgets the last error at
a start; it knows sync_metadata, not metadata, and calls isoformat() on times.

Unlike that one it locks the status row while it counts, so that numbers can
be checked while others count too.
"""

import datetime
import json

import sqlalchemy as sa
from sqlalchemy import orm

Base = orm.declarative_base()
STATUSES = ("success", "error", "in_progress", "pending")


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class Status(Base):
    __tablename__ = "odk_sync_status"
    sync_type = sa.Column(sa.String(50), primary_key=True)
    last_sync_timestamp = sa.Column(sa.DateTime(timezone=True))
    last_attempt_timestamp = sa.Column(sa.DateTime(timezone=True),
                                       nullable=False, default=now)
    last_sync_status = sa.Column(sa.String(20), nullable=False,
                                 default="pending")
    last_error_message = sa.Column(sa.Text)
    successful_sync_count = sa.Column(sa.Integer, nullable=False, default=0)
    failed_sync_count = sa.Column(sa.Integer, nullable=False, default=0)
    last_records_processed = sa.Column(sa.Integer)
    created_at = sa.Column(sa.DateTime(timezone=True), nullable=False,
                           default=now)
    updated_at = sa.Column(sa.DateTime(timezone=True), nullable=False,
                           default=now, onupdate=now)


class History(Base):
    __tablename__ = "odk_sync_history"
    id = sa.Column(sa.Integer, primary_key=True)
    sync_type = sa.Column(sa.String(50), nullable=False, index=True)
    sync_timestamp = sa.Column(sa.DateTime(timezone=True), nullable=False,
                               default=now, index=True)
    status = sa.Column(sa.String(20), nullable=False)
    records_processed = sa.Column(sa.Integer)
    duration_seconds = sa.Column(sa.Integer)
    error_message = sa.Column(sa.Text)
    sync_metadata = sa.Column(sa.Text)
    service_instance = sa.Column(sa.String(100))


class OldService:
    """One process of it. schema: where its tables are found."""

    def __init__(self, instance, **connect):
        self.instance = instance
        self.engine = sa.create_engine("postgresql+psycopg2://",
                                       connect_args=connect)
        self._session = orm.sessionmaker(self.engine)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.engine.dispose()

    def create_tables(self):
        Base.metadata.create_all(self.engine)

    @staticmethod
    def _status(session, sync_type):
        """The status row, made if missing, and ours until the end."""
        row = session.get(Status, sync_type, with_for_update=True)
        if row is None:
            row = Status(sync_type=sync_type)
            session.add(row)
            session.flush()
        return row

    def know(self, sync_type):
        """Have a status row; two that make it at once are a fault of theirs."""
        with self._session.begin() as session:
            self._status(session, sync_type)

    def start(self, sync_type):
        with self._session.begin() as session:
            status = self._status(session, sync_type)
            status.last_attempt_timestamp = now()
            status.last_sync_status = "in_progress"
            status.last_error_message = None
            attempt = History(sync_type=sync_type, status="in_progress",
                              service_instance=self.instance)
            session.add(attempt)
            session.flush()
            return attempt.id

    def _end(self, session, key, status):
        attempt = session.get(History, key)
        attempt.status = status
        attempt.duration_seconds = int(
            (now() - attempt.sync_timestamp).total_seconds())
        return attempt

    def complete(self, key, sync_type, records, latest=None, metadata=None):
        with self._session.begin() as session:
            attempt = self._end(session, key, "success")
            attempt.records_processed = records
            if metadata is not None:
                attempt.sync_metadata = json.dumps(metadata)
            status = self._status(session, sync_type)
            status.last_sync_status = "success"
            status.successful_sync_count += 1
            status.last_records_processed = records
            if latest is not None:
                status.last_sync_timestamp = latest

    def fail(self, key, sync_type, message):
        with self._session.begin() as session:
            self._end(session, key, "error").error_message = message[:1000]
            status = self._status(session, sync_type)
            status.last_sync_status = "error"
            status.last_error_message = message[:1000]
            status.failed_sync_count += 1

    def last_sync_time(self, sync_type):
        with self._session() as session:
            row = session.get(Status, sync_type)
            return row and row.last_sync_timestamp

    def statistics(self):
        """{sync_type: {...}}; fails on what the service would fail on."""
        with self._session() as session:
            found = {}
            for row in session.query(Status):
                if row.last_sync_status not in STATUSES:
                    raise ValueError(row.last_sync_status)
                found[row.sync_type] = {
                    "status": row.last_sync_status,
                    "last_sync": row.last_sync_timestamp
                    and row.last_sync_timestamp.isoformat(),
                    "last_attempt": row.last_attempt_timestamp.isoformat(),
                    "last_error": row.last_error_message,
                    "total": row.successful_sync_count
                    + row.failed_sync_count,
                    "updated": row.updated_at.isoformat()}
            return found

    def history(self, limit=None):
        """[(id, sync_type, status, metadata)], newest first."""
        with self._session() as session:
            found = []
            for row in session.query(History).order_by(
                    History.sync_timestamp.desc(), History.id.desc()
                    ).limit(limit):
                if row.status not in STATUSES:
                    raise ValueError(row.status)
                row.sync_timestamp.isoformat()
                text = row.sync_metadata
                found.append((row.id, row.sync_type, row.status,
                              text if text is None else json.loads(text)))
            return found

    def cleanup(self, days):
        with self._session.begin() as session:
            return session.query(History).filter(
                History.sync_timestamp < now() - datetime.timedelta(days)
                ).delete()
