"""Receipts that wait keep what tells whose they are: the sender, when the network took the message, how it begins."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those that wait already are found by their id only."""
    for name, size, comment in (
        ("sender", 24, None),
        ("quoted", 40, "how the message begins"),
        ("ending", 8, "last digits of the phone"),
    ):
        column: sa.Column[str] = sa.Column(name, sa.String(size), nullable=False, server_default="", comment=comment)
        op.add_column("waiting_receipt", column)
    op.add_column("waiting_receipt", sa.Column("submitted_at", sa.BigInteger()))
    op.create_index("ix_waiting_receipt_ending", "waiting_receipt", ["connector", "ending"])


def downgrade() -> None:
    """As it was."""
    op.drop_index("ix_waiting_receipt_ending", "waiting_receipt")
    for name in ("sender", "quoted", "ending", "submitted_at"):
        op.drop_column("waiting_receipt", name)
