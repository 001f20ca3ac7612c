"""The ledger's tables."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
    true,
)

from xlsms_service.ledger.instant import Instant

__all__ = [
    "PROPOSED",
    "SCHEDULED",
    "SHOWN",
    "UNSETTLED",
    "WAITING",
    "WISHED",
    "campaign",
    "change",
    "inbound",
    "intervention",
    "link",
    "live",
    "message",
    "metadata",
    "part",
    "plan",
    "received",
    "reply",
    "stop",
    "waiting_receipt",
    "workbook",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    },
)

#: SQLite counts rows by itself only for a column declared INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")

workbook = Table(
    "workbook",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("guid", String(64), index=True, comment="custom property of the file; null when it has none"),
    Column("path", Text, nullable=False, index=True, comment="where it was last seen, absolute"),
    Column("language", String(2), nullable=False, comment="of its headers; states are written in it"),
    Column("version", Text, comment="the file as we last read or wrote it; another version is read again"),
    Column("problem", String(64), comment="code of what keeps the file from being read or written"),
    Column("facts", JSON, comment="facts of the problem"),
    Column(
        "standing",
        Boolean,
        nullable=False,
        default=True,
        server_default=true(),
        comment="at its path; false when another workbook has taken its place there",
    ),
)
Index(
    "ix_workbook_standing", workbook.c.path, unique=True,
    sqlite_where=text("standing"),
)  # fmt: skip

campaign = Table(
    "campaign",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("workbook_id", _Id, ForeignKey("workbook.id")),
    Column("sheet", Text),
    Column("at", Instant, nullable=False),
    Column("wish", String(12), comment="paused or recalled: holds for what of it is admitted later"),
    comment="one send of one sheet",
)

#: Conditions of partial indexes. SQLite uses such an index only for a query that says its condition in the same
#: words, not with parameters: queries take them from here.
WAITING = text("state = 'queued' AND admitted")
SCHEDULED = text("state = 'scheduled' AND admitted")
PROPOSED = text("NOT admitted")
SHOWN = text("admitted AND NOT superseded")
WISHED = text("wish IS NOT NULL")
UNSETTLED = text("state IN ('sending', 'uncertain')")

Index("ix_campaign_wished", campaign.c.id, sqlite_where=WISHED)

message = Table(
    "message",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("workbook_id", _Id, ForeignKey("workbook.id"), comment="null: not from a workbook"),
    Column("sheet", Text),
    Column("row_id", String(16), comment="the text in the row's id cell"),
    Column("replaces", _Id, ForeignKey("message.id"), comment="the message that its row showed before"),
    Column("mark_open", Boolean, nullable=False, comment="the mark that ordered it may still stand in the sheet"),
    Column("admitted", Boolean, nullable=False, comment="its id is in the workbook: it may go out"),
    Column("superseded", Boolean, nullable=False, comment="the row was marked again: it shows a newer message"),
    Column("number", String(20), nullable=False),
    Column("sender", String(20)),
    Column("text", Text, nullable=False),
    Column("alphabet", String(4), nullable=False),
    Column("parts", Integer, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("route", String(20), nullable=False, comment="key of the route that its number takes"),
    Column("state", String(10), nullable=False),
    Column("code", String(64), comment="why it is in that state"),
    Column("facts", JSON),
    Column("state_at", Instant, nullable=False),
    Column("accepted_at", Instant, nullable=False),
    Column(
        "campaign",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="the send it belongs to; 0: a text by itself",
    ),
    Column(
        "priority",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="0 before all others, then 1, then 2",
    ),
    Column(
        "due",
        Instant,
        nullable=False,
        server_default=text("0"),
        comment="it may go from then on: its send time, or the end of a wait",
    ),
    Column("send_at", Instant, comment="its send time, if it has one: until then a network has to wait with it"),
    Column("expires_at", Instant, comment="it does not go any more; null: whenever"),
    Column("wish", String(12), comment="what it becomes if it comes back from its link, or when admitted"),
    Column("attempts", Integer, nullable=False),
    Column(
        "resent",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="how often it waited anew though it may have left",
    ),
    Column("connector", String(64), comment="the one it was last claimed for"),
    Column("claimed_at", Instant),
    Column("reply", Text, comment="its replies, oldest first, one a line"),
    Column("reply_at", Instant),
    Column("version", Integer, nullable=False, comment="grows with every change that the sheet shows"),
    Column("written", Integer, nullable=False, comment="the version that the workbook shows"),
    Column("order_key", String(64), comment="the same order again is this message"),
    Column(
        "unsaved",
        Boolean,
        nullable=False,
        default=False,
        server_default=false(),
        comment="its id was given to an open workbook and has not been seen in a file",
    ),
    Index(
        "uq_message_order_key",
        "order_key",
        unique=True,
        sqlite_where=text("order_key IS NOT NULL"),
    ),
    Index("uq_message_row_id", "row_id", unique=True),
    Index("ix_message_fingerprint", "fingerprint"),
    Index(
        "ix_message_replaces",
        "replaces",
        sqlite_where=text("replaces IS NOT NULL"),
    ),
    Index("ix_message_number", "number", "id"),
    Index("ix_message_shown", "workbook_id", sqlite_where=SHOWN),
    Index(
        "ix_message_waiting",
        "route",
        "priority",
        "campaign",
        "due",
        "id",
        sqlite_where=WAITING,
    ),
    Index(
        "ix_message_scheduled",
        "due",
        sqlite_where=SCHEDULED,
    ),
    Index(
        "ix_message_proposed",
        "accepted_at",
        sqlite_where=PROPOSED,
    ),
    Index(
        "ix_message_lacking",
        "workbook_id",
        sqlite_where=text("version > written"),
    ),
    Index(
        "ix_message_unsettled",
        "state",
        sqlite_where=UNSETTLED,
    ),
    Index(
        "ix_message_wished",
        "connector",
        sqlite_where=WISHED,
    ),
)

part = Table(
    "part",
    metadata,
    Column("message_id", _Id, ForeignKey("message.id", ondelete="CASCADE"), primary_key=True),
    Column("part", Integer, primary_key=True, comment="1-based"),
    Column("connector", String(64), nullable=False),
    Column("network_id", String(65), comment="the network's name for it, as it came with the answer"),
    Column("state", String(10), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_part_network_id", "network_id", "connector"),
)

waiting_receipt = Table(
    "waiting_receipt",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("connector", String(64), nullable=False),
    Column("network_id", String(65), nullable=False),
    Column("state", String(16), nullable=False, comment="the network's word"),
    Column("at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("recipient", String(24), nullable=False),
    Column("error", String(16), nullable=False),
    Column("sender", String(24), nullable=False, server_default=""),
    Column("submitted_at", Instant),
    Column("quoted", String(40), nullable=False, server_default="", comment="how the message begins"),
    Column("ending", String(8), nullable=False, server_default="", comment="last digits of the phone"),
    Index("ix_waiting_receipt_connector", "connector", "network_id"),
    Index("ix_waiting_receipt_ending", "connector", "ending"),
    comment="receipts that came before the answer they belong to",
)

inbound = Table(
    "inbound",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("connector", String(64), nullable=False),
    Column("sender", String(24), nullable=False),
    Column("recipient", String(24), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("reference", Integer, comment="of a long text"),
    Column("total", Integer),
    Column("part", Integer),
    Column("raw", LargeBinary),
    Column("handled_at", Instant, comment="when it found its place; null: not yet"),
    Column("message_id", _Id, ForeignKey("message.id"), comment="the message it answers, if any"),
    Index("ix_inbound_message_id", "message_id"),
    Index(
        "ix_inbound_waiting",
        "id",
        sqlite_where=text("handled_at IS NULL"),
    ),
)

reply = Table(
    "reply",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("workbook_id", _Id, ForeignKey("workbook.id"), nullable=False),
    Column("message_id", _Id, ForeignKey("message.id"), nullable=False),
    Column("text", Text, nullable=False, comment="put together from its parts"),
    Column("at", Instant, nullable=False),
    Column("written_at", Instant, comment="when it was put into the workbook's sheet of replies; null: not yet"),
    Index(
        "ix_reply_lacking",
        "workbook_id",
        sqlite_where=text("written_at IS NULL"),
    ),
    comment="texts that answer a row of a workbook, whole",
)

link = Table(
    "link",
    metadata,
    Column("connector", String(64), primary_key=True),
    Column("state", String(10), nullable=False),
    Column("code", String(64)),
    Column("facts", JSON),
    Column("at", Instant, nullable=False),
    Column("breaker", String(10), nullable=False, server_default="closed", comment="whether the link is used"),
    comment="each connector's link as last known, for those who look from outside",
)

stop = Table(
    "stop",
    metadata,
    Column("at", Instant, primary_key=True, autoincrement=False),
    comment="a row stands here while nothing may go, since then",
)

intervention = Table(
    "intervention",
    metadata,
    Column("at", Instant, primary_key=True, autoincrement=False),
    comment="one row: when somebody last paused, recalled or let go on; who stands in line behind may ask anew",
)

live = Table(
    "live",
    metadata,
    Column("workbook_id", _Id, ForeignKey("workbook.id"), primary_key=True),
    Column("guid", String(64), nullable=False, index=True, comment="it may stand in the open workbook only"),
    Column("name", Text, nullable=False),
    Column("host", String(10), nullable=False, comment="the program that it is open in"),
    Column("file", String(80), comment="size and time of its file when it was last known to be open"),
    Column("opened_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False, comment="it was open then"),
    Column("closed_at", Instant, comment="null: not that we know"),
    comment="workbooks that are, or were, open in a spreadsheet with the add-in",
)

plan = Table(
    "plan",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("workbook_id", _Id, ForeignKey("workbook.id"), nullable=False, index=True),
    Column("hash", String(64), nullable=False),
    Column("asked", Text, nullable=False, comment="the rows as they were read, in JSON"),
    Column("made_at", Instant, nullable=False),
    Column("wanted_at", Instant, comment="someone said yes on its page"),
    Column("answer", Text, comment="what its approval gave, in JSON"),
    comment="plans of open workbooks, and what became of them",
)

received = Table(
    "received",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("number", String(24), nullable=False, comment="of the phone, as numbers stand in messages"),
    Column("recipient", String(24), nullable=False),
    Column("connector", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("message_id", _Id, ForeignKey("message.id"), comment="the message it answers, if any"),
    Index("ix_received_number", "number", "id"),
    comment="texts from phones, put together from their parts",
)

change = Table(
    "change",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("message_id", _Id),
    Column("received_id", _Id),
    comment="what has changed, in the order of commits; triggers write it",
    sqlite_autoincrement=True,
)
