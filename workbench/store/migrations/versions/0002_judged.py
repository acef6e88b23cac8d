"""What runs are judged by (yardstick, cloze), sweeps and their queue, undoable deletes, progress."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run", sa.Column("deleted_at", sa.Float))
    op.add_column("run", sa.Column("sweep_id", sa.Integer))
    op.add_column("run", sa.Column("queue_position", sa.Float))
    op.add_column("run", sa.Column("progress_at", sa.Float))
    op.create_index("ix_run_sweep_id", "run", ["sweep_id"])
    op.create_table(
        "yardstick",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id", ondelete="CASCADE"), index=True),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("weights_fingerprint", sa.String, nullable=False, index=True),
        sa.Column("protocol", sa.String, nullable=False),
        sa.Column("text_fingerprint", sa.String, nullable=False),
        sa.Column("tokenizer_fingerprint", sa.String, nullable=False),
        sa.Column("masks_fingerprint", sa.String, nullable=False),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("masked_tokens", sa.Integer, nullable=False),
        sa.Column("characters", sa.Integer),
        sa.Column("loss_sum", sa.Float, nullable=False),
        sa.Column("chunk_losses", sa.LargeBinary, nullable=False),
        sa.Column("chunk_tokens", sa.LargeBinary, nullable=False),
        sa.Column("chunk_hashes", sa.LargeBinary, nullable=False),
        sa.Column("chunk_documents", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "cloze",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id", ondelete="CASCADE"), index=True),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("weights_fingerprint", sa.String, nullable=False, index=True),
        sa.Column("suite", sa.String, nullable=False),
        sa.Column("suite_fingerprint", sa.String, nullable=False),
        sa.Column("items", sa.Integer, nullable=False),
        sa.Column("top1", sa.Float, nullable=False),
        sa.Column("top5", sa.Float, nullable=False),
        sa.Column("mean_reciprocal_rank", sa.Float, nullable=False),
        sa.Column("answers", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "sweep",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("plan", sa.JSON, nullable=False),
        sa.Column("trials_left", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "keeper",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("pid", sa.Integer),
        sa.Column("started_at", sa.Float),
        sa.Column("host", sa.String),
        sa.Column("boot_id", sa.String),
        sa.Column("heartbeat_at", sa.Float),
    )
