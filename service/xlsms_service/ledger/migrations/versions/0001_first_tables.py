"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "link",
        sa.Column("connector", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connector", name=op.f("pk_link")),
        comment="each connector's link as last known, for those who look from outside",
    )
    op.create_table(
        "waiting_receipt",
        sa.Column("id", _ID, nullable=False),
        sa.Column("connector", sa.String(length=64), nullable=False),
        sa.Column("network_id", sa.String(length=65), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="the network's word"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("recipient", sa.String(length=24), nullable=False),
        sa.Column("error", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_receipt")),
        comment="receipts that came before the answer they belong to",
    )
    op.create_index("ix_waiting_receipt_connector", "waiting_receipt", ["connector", "network_id"], unique=False)
    op.create_table(
        "workbook",
        sa.Column("id", _ID, nullable=False),
        sa.Column(
            "guid", sa.String(length=64), nullable=True, comment="custom property of the file; null when it has none"
        ),
        sa.Column("path", sa.Text(), nullable=False, comment="where it was last seen, absolute"),
        sa.Column("language", sa.String(length=2), nullable=False, comment="of its headers; states are written in it"),
        sa.Column(
            "version",
            sa.Text(),
            nullable=True,
            comment="the file as we last read or wrote it; another version is read again",
        ),
        sa.Column(
            "problem",
            sa.String(length=64),
            nullable=True,
            comment="code of what keeps the file from being read or written",
        ),
        sa.Column("facts", sa.JSON(), nullable=True, comment="facts of the problem"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workbook")),
    )
    op.create_index(op.f("ix_workbook_guid"), "workbook", ["guid"], unique=False)
    op.create_index(op.f("ix_workbook_path"), "workbook", ["path"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", _ID, nullable=False),
        sa.Column("workbook_id", _ID, nullable=True, comment="null: not from a workbook"),
        sa.Column("sheet", sa.Text(), nullable=True),
        sa.Column("row_id", sa.String(length=16), nullable=True, comment="the text in the row's id cell"),
        sa.Column("replaces", _ID, nullable=True, comment="the message that its row showed before"),
        sa.Column(
            "mark_open", sa.Boolean(), nullable=False, comment="the mark that ordered it may still stand in the sheet"
        ),
        sa.Column("admitted", sa.Boolean(), nullable=False, comment="its id is in the workbook: it may go out"),
        sa.Column(
            "superseded", sa.Boolean(), nullable=False, comment="the row was marked again: it shows a newer message"
        ),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("sender", sa.String(length=20), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("alphabet", sa.String(length=4), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("route", sa.String(length=20), nullable=False, comment="key of the route that its number takes"),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True, comment="why it is in that state"),
        sa.Column("facts", sa.JSON(), nullable=True),
        sa.Column("state_at", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=True, comment="send time, or the end of a back-off"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("connector", sa.String(length=64), nullable=True, comment="the one it was last claimed for"),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True, comment="its replies, oldest first, one a line"),
        sa.Column("reply_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, comment="grows with every change that the sheet shows"),
        sa.Column("written", sa.Integer(), nullable=False, comment="the version that the workbook shows"),
        sa.ForeignKeyConstraint(["replaces"], ["message.id"], name=op.f("fk_message_replaces")),
        sa.ForeignKeyConstraint(["workbook_id"], ["workbook.id"], name=op.f("fk_message_workbook_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index("ix_message_fingerprint", "message", ["fingerprint"], unique=False)
    op.create_index(
        "ix_message_lacking",
        "message",
        ["workbook_id"],
        unique=False,
        sqlite_where=sa.text("version > written"),
        postgresql_where=sa.text("version > written"),
    )
    op.create_index("ix_message_number", "message", ["number", "id"], unique=False)
    op.create_index(
        "ix_message_unsettled",
        "message",
        ["state"],
        unique=False,
        sqlite_where=sa.text("state IN ('sending', 'uncertain')"),
        postgresql_where=sa.text("state IN ('sending', 'uncertain')"),
    )
    op.create_index(
        "ix_message_waiting",
        "message",
        ["route", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_message_scheduled",
        "message",
        ["not_before"],
        unique=False,
        sqlite_where=sa.text("state = 'scheduled'"),
        postgresql_where=sa.text("state = 'scheduled'"),
    )
    op.create_index("uq_message_row_id", "message", ["row_id"], unique=True)
    op.create_table(
        "inbound",
        sa.Column("id", _ID, nullable=False),
        sa.Column("connector", sa.String(length=64), nullable=False),
        sa.Column("sender", sa.String(length=24), nullable=False),
        sa.Column("recipient", sa.String(length=24), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Integer(), nullable=True, comment="of a long text"),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("part", sa.Integer(), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("handled_at", sa.BigInteger(), nullable=True, comment="when it found its place; null: not yet"),
        sa.Column("message_id", _ID, nullable=True, comment="the message it answers, if any"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_inbound_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound")),
    )
    op.create_index("ix_inbound_message_id", "inbound", ["message_id"], unique=False)
    op.create_index(
        "ix_inbound_waiting",
        "inbound",
        ["id"],
        unique=False,
        sqlite_where=sa.text("handled_at IS NULL"),
        postgresql_where=sa.text("handled_at IS NULL"),
    )
    op.create_table(
        "part",
        sa.Column("message_id", _ID, nullable=False),
        sa.Column("part", sa.Integer(), nullable=False, comment="1-based"),
        sa.Column("connector", sa.String(length=64), nullable=False),
        sa.Column(
            "network_id",
            sa.String(length=65),
            nullable=True,
            comment="the network's name for it, as it came with the answer",
        ),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_part_message_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("message_id", "part", name=op.f("pk_part")),
    )
    op.create_index("ix_part_network_id", "part", ["network_id", "connector"], unique=False)
