"""Replies, for the sheets that list them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table; replies from before stand beside their rows only."""
    op.create_table(
        "reply",
        sa.Column("id", _ID, nullable=False),
        sa.Column("workbook_id", _ID, nullable=False),
        sa.Column("message_id", _ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False, comment="put together from its parts"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column(
            "written_at",
            sa.BigInteger(),
            nullable=True,
            comment="when it was put into the workbook's sheet of replies; null: not yet",
        ),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_reply_message_id")),
        sa.ForeignKeyConstraint(["workbook_id"], ["workbook.id"], name=op.f("fk_reply_workbook_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply")),
        comment="texts that answer a row of a workbook, whole",
    )
    op.create_index(
        "ix_reply_lacking",
        "reply",
        ["workbook_id"],
        unique=False,
        sqlite_where=sa.text("written_at IS NULL"),
        postgresql_where=sa.text("written_at IS NULL"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("reply")
