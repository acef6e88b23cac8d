"""The first schema: runs, their metrics and checkpoints, and what was filled."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False, index=True),
        sa.Column("status", sa.String, nullable=False, index=True),
        sa.Column("phase", sa.String),
        sa.Column("recipe", sa.JSON, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("note", sa.String, nullable=False),
        sa.Column("starred", sa.Boolean, nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("folder", sa.String, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("started_at", sa.Float),
        sa.Column("ended_at", sa.Float),
        sa.Column("heartbeat_at", sa.Float),
        sa.Column("stop_requested_at", sa.Float),
        sa.Column("worker_pid", sa.Integer),
        sa.Column("worker_started_at", sa.Float),
        sa.Column("host", sa.String),
        sa.Column("boot_id", sa.String),
        sa.Column("segment", sa.Integer, nullable=False),
        sa.Column("progress_done", sa.Integer, nullable=False),
        sa.Column("progress_total", sa.Integer, nullable=False),
        sa.Column("progress_unit", sa.String, nullable=False),
        sa.Column("epoch", sa.Float),
        sa.Column("step", sa.Integer),
        sa.Column("total_steps", sa.Integer),
        sa.Column("baseline_perplexity", sa.Float),
        sa.Column("train_perplexity", sa.Float),
        sa.Column("eval_perplexity", sa.Float),
        sa.Column("best_eval_perplexity", sa.Float),
        sa.Column("yardstick_perplexity", sa.Float),
        sa.Column("tokens_per_second", sa.Float),
        sa.Column("checkpoint", sa.String),
        sa.Column("error", sa.String),
        sa.Column("error_hint", sa.String),
        sa.Column("environment", sa.JSON, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("engine", sa.JSON, nullable=False),
    )
    op.create_table(
        "metric",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
        sa.Column("segment", sa.Integer, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Float, nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("superseded", sa.Boolean, nullable=False),
    )
    op.create_index("ix_metric_curve", "metric", ["run_id", "name", "id"])
    op.create_table(
        "checkpoint",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "run_id", sa.Integer, sa.ForeignKey("run.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Float, nullable=False),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("eval_perplexity", sa.Float),
        sa.Column("best", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "fill",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id", ondelete="SET NULL"), index=True),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("result", sa.JSON, nullable=False),
    )
