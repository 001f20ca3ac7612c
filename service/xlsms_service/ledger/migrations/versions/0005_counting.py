"""The messages of one workbook are counted without a look at the others."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SHOWN = sa.text("admitted AND NOT superseded")


def upgrade() -> None:
    """An index over what does not change while a message is on its way."""
    op.create_index("ix_message_shown", "message", ["workbook_id"], sqlite_where=_SHOWN, postgresql_where=_SHOWN)


def downgrade() -> None:
    """As it was."""
    op.drop_index("ix_message_shown", "message")
