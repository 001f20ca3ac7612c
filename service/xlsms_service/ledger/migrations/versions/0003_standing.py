"""Which of several workbooks seen at one path stands there."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Until now the newest was taken to stand there."""
    column: sa.Column[bool] = sa.Column(
        "standing",
        sa.Boolean(),
        nullable=False,
        server_default=sa.true(),
        comment="at its path; false when another workbook has taken its place there",
    )
    op.add_column("workbook", column)
    op.execute(
        "UPDATE workbook SET standing = FALSE"
        " WHERE EXISTS (SELECT 1 FROM workbook AS newer WHERE newer.path = workbook.path AND newer.id > workbook.id)"
    )
    op.create_index(
        "ix_workbook_standing",
        "workbook",
        ["path"],
        unique=True,
        sqlite_where=sa.text("standing"),
        postgresql_where=sa.text("standing"),
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_index("ix_workbook_standing", "workbook")
    op.drop_column("workbook", "standing")
