"""Signals: what they are stands in `signals`, who runs now in the narrow `signal_locks`, what was in the rest.

A run that is under way is on record in its signal's lock; it gets a row of its own when it ends, unless it found nothing to do.
Times of hot tables are whole milliseconds since the epoch.
"""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, PrimaryKeyConstraint, Table, Text

from atalaia.sdk.columns import Blob, Instant, Json, new_metadata

metadata = new_metadata()

signals = Table(
    "signals",
    metadata,
    Column("name", Text, primary_key=True),
    Column("task", Text, nullable=False),
    Column("options", Text, nullable=False),  # JSON as model.signals has it; a job's payload in it as it came
    Column("secret", Blob),  # sealed: what a webhook is signed with
    Column("min_interval_ms", Integer, nullable=False),
    Column("expect_every_s", Float),  # how often its sender sends
    Column("cron", Text),
    Column("timezone", Text, nullable=False),
    Column("runs_missed", Boolean, nullable=False),  # one run for all slots that passed while nobody led
    Column("is_paused", Boolean, nullable=False),
    Column("next_at", Instant),  # the next slot of its schedule
    Column("last_slot_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("resumed_at", Instant, nullable=False),  # since when signals are to be expected
)

# One row for each name that there has ever been: a number must not come again, also where a signal is dropped and made anew.
signal_locks = Table(
    "signal_locks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("fence", BigInteger, nullable=False),
    Column("started_at", BigInteger, nullable=False),  # of the last run, 0 before the first
    Column("lease_until", BigInteger, nullable=False),  # 0 where nobody runs
    Column("failures", Integer, nullable=False),  # in a row
    Column("run_id", Text),
    Column("source", Text),
    Column("holder", Text),
)

signal_runs = Table(
    "signal_runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("signal", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("took_ms", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("params", Json, nullable=False),
    Column("error", Text),
    Column("output", Text),  # of a command
    Index("ix_signal_runs_signal_id", "signal", "id"),
)

# All runs that ended, also those that are not kept.
signal_hours = Table(
    "signal_hours",
    metadata,
    Column("signal", Text, nullable=False),
    Column("hour", Integer, nullable=False),  # since the epoch
    Column("outcome", Text, nullable=False),
    Column("runs", Integer, nullable=False),
    Column("total_ms", BigInteger, nullable=False),
    Column("slowest_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("signal", "hour", "outcome"),
)

# How signals were answered, by the minute; a column for each of model.answers.Answer.
signal_minutes = Table(
    "signal_minutes",
    metadata,
    Column("signal", Text, nullable=False),
    Column("minute", Integer, nullable=False),  # since the epoch
    Column("started", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("throttled", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("invalid", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("last_status", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("signal", "minute"),
)

# Who is refused, from where; a row goes when the place has been quiet for a while.
signal_refusals = Table(
    "signal_refusals",
    metadata,
    Column("signal", Text, nullable=False),
    Column("place", Text, nullable=False),  # an address; of IPv6 its network
    Column("times", Integer, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("is_told", Boolean, nullable=False),
    PrimaryKeyConstraint("signal", "place"),
)

signal_levels = Table(
    "signal_levels",
    metadata,
    Column("signal", Text, primary_key=True),
    Column("level", Text, nullable=False),  # model.rate.Level
    Column("since_at", Instant, nullable=False),
)
