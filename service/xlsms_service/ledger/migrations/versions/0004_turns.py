"""Whose turn it is: campaigns, priorities, the moments between which a message may go; links left alone; a stop."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WAITING = sa.text("state = 'queued' AND admitted")
_SCHEDULED = sa.text("state = 'scheduled' AND admitted")
_PROPOSED = sa.text("NOT admitted")


def upgrade() -> None:
    """What waits already belongs to no campaign, and has all the time there is."""
    op.create_table(
        "campaign",
        sa.Column("id", _ID, nullable=False),
        sa.Column("workbook_id", _ID, nullable=True),
        sa.Column("sheet", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["workbook_id"], ["workbook.id"], name=op.f("fk_campaign_workbook_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        comment="one send of one sheet",
    )
    op.create_table(
        "stop",
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("at", name=op.f("pk_stop")),
        comment="a row stands here while nothing may go, since then",
    )
    phase: sa.Column[str] = sa.Column(
        "breaker", sa.String(10), nullable=False, server_default="closed", comment="whether the link is used"
    )
    op.add_column("link", phase)
    for name, comment in (
        ("campaign", "the send it belongs to; 0: a text by itself"),
        ("priority", "0 before all others, then 1, then 2"),
        ("due", "it may go from then on: its send time, or the end of a wait"),
    ):
        kind = sa.Integer() if name == "priority" else sa.BigInteger()
        op.add_column("message", sa.Column(name, kind, nullable=False, server_default=sa.text("0"), comment=comment))
    op.add_column(
        "message", sa.Column("expires_at", sa.BigInteger(), comment="it does not go any more; null: whenever")
    )
    op.execute("UPDATE message SET priority = 1, due = COALESCE(not_before, accepted_at)")
    op.drop_index("ix_message_waiting", "message")
    op.drop_index("ix_message_scheduled", "message")
    op.drop_column("message", "not_before")
    for index, columns, condition in (
        ("waiting", ["route", "priority", "campaign", "due", "id"], _WAITING),
        ("scheduled", ["due"], _SCHEDULED),
        ("proposed", ["accepted_at"], _PROPOSED),
    ):
        op.create_index(f"ix_message_{index}", "message", columns, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    """As it was; who waits for what is kept."""
    for index in ("waiting", "scheduled", "proposed"):
        op.drop_index(f"ix_message_{index}", "message")
    op.add_column("message", sa.Column("not_before", sa.BigInteger()))
    op.execute("UPDATE message SET not_before = due")
    for name in ("campaign", "priority", "due", "expires_at"):
        op.drop_column("message", name)
    op.drop_column("link", "breaker")
    op.drop_table("stop")
    op.drop_table("campaign")
    for name, column, state in (("waiting", ["route", "id"], "queued"), ("scheduled", ["not_before"], "scheduled")):
        condition = sa.text(f"state = '{state}'")
        op.create_index(f"ix_message_{name}", "message", column, sqlite_where=condition, postgresql_where=condition)
