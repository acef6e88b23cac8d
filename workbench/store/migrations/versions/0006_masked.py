"""A score's draws of masks, its error, and the hashes of its documents.

The older yardstick's scores stay in their table. Its figures leave the columns and curves that runs are
sorted and drawn by, because the new yardstick's figures stand there.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # 64 bits in both
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("yardstick", sa.Column("draws", COUNT, nullable=False, server_default="1"))
    op.add_column("yardstick", sa.Column("loss_error", sa.Float))
    op.add_column("yardstick", sa.Column("document_hashes", sa.LargeBinary))
    op.execute("UPDATE run SET yardstick_perplexity = NULL WHERE yardstick_perplexity IS NOT NULL")
    op.execute("UPDATE metric SET name = 'yardstick/tokens-1' WHERE name = 'yardstick/perplexity'")
