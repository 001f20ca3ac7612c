"""What is to become of messages that are with a link while they are recalled or paused."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_WISHED = sa.text("wish IS NOT NULL")


def upgrade() -> None:
    """Nobody wishes anything yet."""
    op.add_column("campaign", sa.Column("wish", sa.String(12)))
    op.add_column("message", sa.Column("wish", sa.String(12)))
    op.create_index("ix_campaign_wished", "campaign", ["id"], sqlite_where=_WISHED, postgresql_where=_WISHED)
    op.create_index("ix_message_wished", "message", ["connector"], sqlite_where=_WISHED, postgresql_where=_WISHED)
    op.create_table("intervention", sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False))


def downgrade() -> None:
    """As it was."""
    op.drop_table("intervention")
    op.drop_index("ix_message_wished", "message")
    op.drop_index("ix_campaign_wished", "campaign")
    op.drop_column("message", "wish")
    op.drop_column("campaign", "wish")
