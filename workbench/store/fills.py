"""The console's history."""

from __future__ import annotations

import time
from typing import Any

from sqlmodel import col, select

from workbench.store.database import Queries
from workbench.store.tables import Fill


class Fills(Queries):
    """Queries on the table `fill`; the store's own methods."""

    def add_fill(self, *, model: str, run_id: int | None, text: str, result: dict[str, Any]) -> Fill:
        """Store a text and its answer."""
        with self.database.session() as session:
            fill = Fill(at=time.time(), model=model, run_id=run_id, text=text, result=result)
            session.add(fill)
            session.commit()
            return fill

    def fills(self, limit: int = 200) -> list[Fill]:
        """The newest fills, newest first."""
        with self.database.session() as session:
            return list(session.exec(select(Fill).order_by(col(Fill.id).desc()).limit(limit)))
