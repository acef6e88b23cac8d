"""Where a run runs: its place, its job there, and on how many processes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run", sa.Column("place", sa.String, nullable=False, server_default=""))
    op.add_column("run", sa.Column("place_engine", sa.String, nullable=False, server_default=""))
    op.add_column("run", sa.Column("placement", sa.JSON, nullable=False, server_default="{}"))
    op.add_column("run", sa.Column("job", sa.String))
    op.add_column("run", sa.Column("engine_state", sa.String))
    op.add_column("run", sa.Column("engine_reason", sa.String))
    op.add_column("run", sa.Column("engine_seen_at", sa.Float))
    op.add_column("run", sa.Column("processes", sa.Integer))
    op.add_column("run", sa.Column("nodes", sa.Integer))
