"""Settings that all clients of a store share; on PostgreSQL 64 bits, SQLite's order, a count of commits."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

OURS = ("run", "metric", "checkpoint", "fill", "yardstick", "cloze", "sweep", "journal", "keeper")
SLOTS = 64


def upgrade() -> None:
    op.create_table(
        "setting",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
    op.drop_index("ix_journal_run_id", "journal", if_exists=True)  # a unique constraint has one of its own
    if op.get_context().dialect.name == "postgresql":
        _widen()
        _count_commits()


def _widen() -> None:
    """SQLite's INTEGER has 64 bits and its text is compared byte by byte; let a server do the same."""
    inspector = sa.inspect(op.get_bind())
    for table in (*OURS, "setting"):
        changes = []
        for column in inspector.get_columns(table):
            if isinstance(column["type"], sa.Integer):
                changes.append(f"ALTER COLUMN {column['name']} TYPE BIGINT")
            elif isinstance(column["type"], sa.String):
                changes.append(f'ALTER COLUMN {column["name"]} TYPE VARCHAR COLLATE "C"')
        op.execute(f"ALTER TABLE {table} {', '.join(changes)}")
    for table in OURS:
        op.execute(f"ALTER SEQUENCE {table}_id_seq AS BIGINT")


def _count_commits() -> None:
    counts = op.create_table(
        "change_count",
        sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(counts, [{"slot": slot, "count": 0} for slot in range(SLOTS)])
    # its rows are written all day: leave room on the page, so that no index is touched
    op.execute("ALTER TABLE change_count SET (fillfactor = 20)")
