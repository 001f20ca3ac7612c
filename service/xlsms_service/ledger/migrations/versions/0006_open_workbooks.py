"""Open workbooks, plans that wait for a yes, texts as they came in whole, and what has changed in which order."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_CHANGED = """
    CREATE TRIGGER message_changed AFTER UPDATE OF version, admitted ON message
    WHEN NEW.admitted AND (NEW.version <> OLD.version OR NOT OLD.admitted)
    BEGIN INSERT INTO change (message_id) VALUES (NEW.id); END
"""
_ACCEPTED = """
    CREATE TRIGGER message_accepted AFTER INSERT ON message WHEN NEW.admitted
    BEGIN INSERT INTO change (message_id) VALUES (NEW.id); END
"""
_CAME = """
    CREATE TRIGGER received_came AFTER INSERT ON received
    BEGIN INSERT INTO change (received_id) VALUES (NEW.id); END
"""


def upgrade() -> None:
    """Texts that have found their place are taken over as they are, each part of a long one by itself."""
    op.create_table(
        "live",
        sa.Column("workbook_id", _ID, nullable=False),
        sa.Column("guid", sa.String(64), nullable=False, comment="it may stand in the open workbook only"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("host", sa.String(10), nullable=False, comment="the program that it is open in"),
        sa.Column("file", sa.String(80), comment="size and time of its file when it was last known to be open"),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False, comment="it was open then"),
        sa.Column("closed_at", sa.BigInteger(), comment="null: not that we know"),
        sa.ForeignKeyConstraint(["workbook_id"], ["workbook.id"], name=op.f("fk_live_workbook_id")),
        sa.PrimaryKeyConstraint("workbook_id", name=op.f("pk_live")),
        comment="workbooks that are, or were, open in a spreadsheet with the add-in",
    )
    op.create_index(op.f("ix_live_guid"), "live", ["guid"])
    op.create_table(
        "plan",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("workbook_id", _ID, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False, comment="the rows as they were read, in JSON"),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("wanted_at", sa.BigInteger(), comment="someone said yes on its page"),
        sa.Column("answer", sa.Text(), comment="what its approval gave, in JSON"),
        sa.ForeignKeyConstraint(["workbook_id"], ["workbook.id"], name=op.f("fk_plan_workbook_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        comment="plans of open workbooks, and what became of them",
    )
    op.create_index(op.f("ix_plan_workbook_id"), "plan", ["workbook_id"])
    op.create_table(
        "received",
        sa.Column("id", _ID, nullable=False),
        sa.Column("number", sa.String(24), nullable=False, comment="of the phone, as numbers stand in messages"),
        sa.Column("recipient", sa.String(24), nullable=False),
        sa.Column("connector", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("message_id", _ID, comment="the message it answers, if any"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_received_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received")),
        comment="texts from phones, put together from their parts",
    )
    op.create_index("ix_received_number", "received", ["number", "id"])
    op.create_table(
        "change",
        sa.Column("id", _ID, nullable=False),
        sa.Column("message_id", _ID),
        sa.Column("received_id", _ID),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
        comment="what has changed, in the order of commits; triggers write it",
        sqlite_autoincrement=True,
    )
    op.add_column("message", sa.Column("order_key", sa.String(64), comment="the same order again is this message"))
    op.add_column(
        "message",
        sa.Column(
            "unsaved",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="its id was given to an open workbook and has not been seen in a file",
        ),
    )
    op.create_index("uq_message_order_key", "message", ["order_key"], unique=True)
    op.execute(
        "INSERT INTO received (number, recipient, connector, text, at, message_id)"
        " SELECT COALESCE(message.number, inbound.sender), inbound.recipient, inbound.connector, inbound.text,"
        " inbound.at, inbound.message_id FROM inbound LEFT JOIN message ON message.id = inbound.message_id"
        " WHERE inbound.handled_at IS NOT NULL ORDER BY inbound.id"
    )
    op.execute("INSERT INTO change (message_id) SELECT id FROM message WHERE admitted ORDER BY id")
    if op.get_bind().dialect.name == "sqlite":
        for trigger in (_CHANGED, _ACCEPTED, _CAME):
            op.execute(trigger)


def downgrade() -> None:
    """Forget it."""
    for trigger in ("message_changed", "message_accepted", "received_came"):
        op.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    op.drop_index("uq_message_order_key", "message")
    op.drop_column("message", "unsaved")
    op.drop_column("message", "order_key")
    for table in ("change", "received", "plan", "live"):
        op.drop_table(table)
