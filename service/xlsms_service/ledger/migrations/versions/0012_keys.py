"""Only orders that have a key stand in the index of keys: rows of workbooks have none."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_KEYED = sa.text("order_key IS NOT NULL")


def upgrade() -> None:
    """A row that is accepted is one entry less to write."""
    op.drop_index("uq_message_order_key", "message")
    op.create_index(
        "uq_message_order_key", "message", ["order_key"], unique=True, sqlite_where=_KEYED, postgresql_where=_KEYED
    )


def downgrade() -> None:
    """As it was."""
    op.drop_index("uq_message_order_key", "message")
    op.create_index("uq_message_order_key", "message", ["order_key"], unique=True)
