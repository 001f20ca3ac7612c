"""How often a message was sent again though it may have left, apart from how often it was tried."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What was sent again before is not known apart: it counts from now on."""
    op.add_column("message", sa.Column("resent", sa.Integer, nullable=False, server_default=sa.text("0")))


def downgrade() -> None:
    """As it was."""
    op.drop_column("message", "resent")
