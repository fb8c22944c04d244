"""What is kept: chargers and sessions as they were read and how the reading stands; residents, tariffs, reports."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from atalaia.sdk.columns import Instant, Json, new_metadata

metadata = new_metadata()
_IS_ASIDE = text("same_as IS NOT NULL")
_IS_UNPRICED = text("priced_by IS NULL AND stopped_at IS NOT NULL")
_IS_DOUBTFUL = text("doubts != '[]'")

# One row a list, written with every reading: it stands apart from what is wide and seldom changes.
feeds = Table(
    "cvepro_feeds",
    metadata,
    Column("name", Text, primary_key=True),
    Column("good_at", Instant),
    Column("tried_at", Instant),
    Column("failing_since", Instant),
    Column("failures", Integer, nullable=False),
    Column("error", Text),
    Column("clock_offset_s", Float),
)

# What of the last good reading could not be understood.
notes = Table(
    "cvepro_notes",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("unread", Json, nullable=False),
    Column("strange", Json, nullable=False),
)

chargers = Table(
    "cvepro_chargers",
    metadata,
    Column("key", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("told", Json, nullable=False),
    Column("heartbeat_at", Instant),  # it changes all the time, and nothing else does
    Column("changed_at", Instant, nullable=False),
)

sessions = Table(
    "cvepro_sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("box_id", Text),
    Column("charger_uuid", Text),
    Column("connector", Text),
    Column("tag", Text),
    Column("tag_pk", Text),
    Column("tag_key", Text),  # as model.residents.tag_key writes it: whose it is goes by this
    Column("user_name", Text),
    Column("flat", Text),
    Column("started_at", Instant),
    Column("stopped_at", Instant),
    Column("duration_s", Float),
    Column("energy_mwh", BigInteger),
    Column("start_mwh", BigInteger),
    Column("stop_mwh", BigInteger),
    Column("cost_micros", BigInteger),
    Column("idle_s", Float),
    Column("stop_reason", Text),
    Column("stop_actor", Text),
    Column("doubts", Json, nullable=False),
    Column("same_as", Text),  # the session that counts in place of this one: told by the charger and by the vendor
    Column("apart_by", Text),  # who said that it is one by itself
    Column("sort_at", Instant, nullable=False),  # its start, else its end, else when it was first seen
    Column("changed_at", Instant, nullable=False),
    # What it costs, once by a tariff of ours: see queries.costs. None of it where it changed since.
    Column("priced_by", Text),
    Column("priced_micros", BigInteger),
    Column("priced_parts", Json),
    Index("ix_cvepro_sessions_sort_at_id", "sort_at", "id"),
    Index("ix_cvepro_sessions_box_id_sort_at", "box_id", "sort_at"),
    Index("ix_cvepro_sessions_stopped_at", "stopped_at"),
    Index("ix_cvepro_sessions_same_as", "same_as", sqlite_where=_IS_ASIDE, postgresql_where=_IS_ASIDE),
    Index("ix_cvepro_sessions_tag_key_sort_at", "tag_key", "sort_at"),
    Index("ix_cvepro_sessions_tag_pk_sort_at", "tag_pk", "sort_at"),
    Index("ix_cvepro_sessions_unpriced", "sort_at", sqlite_where=_IS_UNPRICED, postgresql_where=_IS_UNPRICED),
    # Few are; without it a hundred thousand are looked through for them.
    Index("ix_cvepro_sessions_doubtful", "sort_at", "id", sqlite_where=_IS_DOUBTFUL, postgresql_where=_IS_DOUBTFUL),
)

# Incidents that are open by our word, over restarts.
faults = Table(
    "cvepro_faults",
    metadata,
    Column("key", Text, primary_key=True),
    Column("family", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
)

imports = Table(
    "cvepro_imports",
    metadata,
    Column("id", Text, primary_key=True),
    Column("first_day", Text, nullable=False),
    Column("last_day", Text, nullable=False),
    Column("next_day", Text, nullable=False),  # the first that is not read yet
    Column("state", Text, nullable=False),
    Column("found", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("error", Text),
    Column("asked_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

residents = Table(
    "cvepro_residents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("flat", Text, nullable=False),
    Column("flat_since_at", Instant),  # since when this flat and no other; none: since they were entered
    Column("phone", Text),  # E.164
    Column("email", Text),
    Column("person_id", Text, unique=True),  # the account that sees these sessions as its own
    Column("locale", Text, nullable=False),
    Column("opted_in_at", Instant),  # to notices; none: never told anything
    Column("notices", Json, nullable=False),  # model.notices.NoticeKind, as many as are wanted
    Column("refused_phone", Text),  # known not to be on WhatsApp
    Column("is_active", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index("ix_cvepro_residents_flat", "flat"),
)

# Who had a tag when: a tag that moves on leaves the sessions before that with whom it was.
tags = Table(
    "cvepro_tags",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tag", Text, nullable=False),  # as model.residents.read_tag writes it
    Column("resident_id", Text, nullable=False, index=True),
    Column("label", Text),
    Column("since_at", Instant),  # none: ever since
    Column("until_at", Instant),  # none: still
    Index("ix_cvepro_tags_tag_since_at", "tag", "since_at"),
    # One holder at a time, whoever writes at once.
    Index(
        "uq_cvepro_tags_held",
        "tag",
        unique=True,
        sqlite_where=text("until_at IS NULL"),
        postgresql_where=text("until_at IS NULL"),
    ),
)

# Files of residents that wait for somebody to say "import"; forgotten when their time is over.
rosters = Table(
    "cvepro_rosters",
    metadata,
    Column("id", Text, primary_key=True),
    Column("file_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("may_move", Boolean, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("counts", Json, nullable=False),
)

# Each holds from its first day until the next one's.
tariffs = Table(
    "cvepro_tariffs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("first_day", Text, nullable=False, unique=True),
    Column("terms", Json, nullable=False),  # model.tariffs.Terms
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

# Made by a job, or uploaded by a person.
reports = Table(
    "cvepro_reports",
    metadata,
    Column("id", Text, primary_key=True),
    Column("month", Text, nullable=False),  # 2026-10
    Column("flat", Text),  # none: of the whole condominium
    Column("title", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("file_id", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("job_id", Text),  # none: uploaded
    Column(
        "holders", Json, nullable=False
    ),  # residents who charged in it: of those who live there now, they may read it
    Column("draft", Text),  # of a run that makes a month's: nobody sees it before all of them are there
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_cvepro_reports_month_flat", "month", "flat"),
    Index("ix_cvepro_reports_flat", "flat"),
)

# Jobs that make reports: how they stand is the jobs' affair; that the schedule asked for a month is ours.
report_orders = Table(
    "cvepro_report_orders",
    metadata,
    Column("job_id", Text, primary_key=True),
    Column("month", Text, nullable=False),
    Column("which", Text, nullable=False),  # model.reports.Which
    Column("flat", Text),
    Column("is_scheduled", Boolean, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

# Each notice once: also where its session is read again, or the hub is killed in between.
notices = Table(
    "cvepro_notices",
    metadata,
    Column("subject", Text, nullable=False),  # a session's id, or what became free when
    Column("kind", Text, nullable=False),
    Column("resident_id", Text, nullable=False),
    Column("message_id", Text),  # none: decided not to tell
    Column("fate", Text, nullable=False),  # model.notices.Fate
    Column("reason", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("settled_at", Instant),
    PrimaryKeyConstraint("subject", "kind"),
    Index("ix_cvepro_notices_created_at", "created_at"),
    Index("ix_cvepro_notices_resident_id", "resident_id", "created_at"),
    Index("ix_cvepro_notices_message_id", "message_id"),
)

# The words of a notice, where they are not the built-in ones.
templates = Table(
    "cvepro_templates",
    metadata,
    Column("kind", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    PrimaryKeyConstraint("kind", "locale"),
)

# Who waits for a charger to become free; an empty key waits for any.
waits = Table(
    "cvepro_waits",
    metadata,
    Column("resident_id", Text, nullable=False),
    Column("charger_key", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    PrimaryKeyConstraint("resident_id", "charger_key"),
)

# Charge points that connect straight to us (OCPP 1.6-J), by the id that they name themselves with.
stations = Table(
    "cvepro_stations",
    metadata,
    Column("box_id", Text, primary_key=True),
    Column("standing", Text, nullable=False),  # model.stations.Admission
    Column("password_sha256", LargeBinary),  # none: it needs none
    Column("told", Json, nullable=False),  # model.stations.Boot: what it last said of itself
    Column("booted_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", Instant),
)

# What changes while a station is connected stands apart from what it is.
station_lines = Table(
    "cvepro_station_lines",
    metadata,
    Column("box_id", Text, primary_key=True),
    Column("hub", Text),  # which of several has its line; none: no one has
    Column("client", Text),
    Column("connected_at", Instant),
    Column("alive_at", Instant),  # written once a minute while the line stands
    Column("seen_at", Instant),  # its last message, as of then
    Column("refused", Integer, nullable=False),  # wrong passwords since the last right one
    Column("refused_at", Instant),
)

plugs = Table(
    "cvepro_plugs",
    metadata,
    Column("box_id", Text, nullable=False),
    Column("connector", Integer, nullable=False),  # 0: the charge point as a whole
    Column("status", Text),
    Column("error_code", Text),
    Column("status_at", Instant),
    Column("power_w", Float),
    Column("soc_percent", Float),
    Column("measured_at", Instant),
    PrimaryKeyConstraint("box_id", "connector"),
)

# A transaction of a charge point's is the session `ocpp-<number>`. What it is sent again under tells that it is the same.
transactions = Table(
    "cvepro_transactions",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("box_id", Text, nullable=False),
    Column("connector", Integer, nullable=False),
    Column("told_at", Text, nullable=False),  # its timestamp, as it was told
    Column("start_wh", BigInteger, nullable=False),
    Column("tag", Text, nullable=False),
    Column("state", Text, nullable=False),  # model.transactions.State
    Column("started_at", Instant, nullable=False),
    Column("measured_at", Instant),  # until when the session's figures go
    Column("is_full", Boolean, nullable=False),
    UniqueConstraint("box_id", "connector", "told_at", "start_wh"),
    Index("ix_cvepro_transactions_box_id_state", "box_id", "state"),
    Index("ix_cvepro_transactions_tag_state", "tag", "state"),
    sqlite_autoincrement=True,
)

meters = Table(
    "cvepro_meters",
    metadata,
    Column("number", BigInteger, nullable=False),  # of the transaction
    Column("at", Instant, nullable=False),
    Column("energy_mwh", BigInteger),  # the register, not what the session took
    Column("power_w", Float),
    Column("soc_percent", Float),
    PrimaryKeyConstraint("number", "at"),
    Index("ix_cvepro_meters_at", "at"),
)

commands = Table(
    "cvepro_commands",
    metadata,
    Column("id", Text, primary_key=True),
    Column("box_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("arguments", Json, nullable=False),
    Column("state", Text, nullable=False),  # model.commands.CommandState
    Column("answer", Text),  # in the charge point's own word
    Column("asked_by", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("ix_cvepro_commands_box_id_id", "box_id", "id"),
    Index("ix_cvepro_commands_state", "state"),
)

# RFID tags that the vendor's cloud knows, under our way of writing them.
cloud_tags = Table(
    "cvepro_cloud_tags",
    metadata,
    Column("tag", Text, primary_key=True),
    Column("pk", Text),
    Column("user_name", Text),
    Column("flat", Text),
    Column("is_active", Boolean),
    Column("changed_at", Instant, nullable=False),
)

# The picture of the garage, and where on it each charger is: in percent of its width and height, from the top left.
plans = Table(
    "cvepro_plans",
    metadata,
    Column("id", Text, primary_key=True),
    Column("file_id", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

places = Table(
    "cvepro_places",
    metadata,
    Column("charger_key", Text, primary_key=True),
    Column("x_percent", Float, nullable=False),
    Column("y_percent", Float, nullable=False),
    Column("changed_at", Instant, nullable=False),
)
