"""What follows on a message is found without a look at the others."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_FOLLOWS = sa.text("replaces IS NOT NULL")


def upgrade() -> None:
    """Few messages follow on another: those of rows that were marked again."""
    op.create_index("ix_message_replaces", "message", ["replaces"], sqlite_where=_FOLLOWS, postgresql_where=_FOLLOWS)


def downgrade() -> None:
    """As it was."""
    op.drop_index("ix_message_replaces", "message")
