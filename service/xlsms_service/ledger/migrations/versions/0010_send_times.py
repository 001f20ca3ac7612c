"""The send time of a message beside the moment from which it may go: networks can wait for the former."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is scheduled waits here for its time."""
    op.add_column("message", sa.Column("send_at", sa.BigInteger))
    op.execute("UPDATE message SET send_at = due WHERE state = 'scheduled'")


def downgrade() -> None:
    """As it was."""
    op.drop_column("message", "send_at")
