"""What a screen may ask of the program that shows it. No screen imports the app."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from workbench.inference.client import InferenceClient
    from workbench.recipe import Recipe
    from workbench.store import Run, Store


class Host(Protocol):
    """The app as its screens see it: what they share, and the way from one to the next."""

    clock: Callable[[], float]
    """Seconds since 1970."""
    version: int | None
    """A number that changes when the store may hold something else."""
    deleted: list[list[int]]
    """The runs deleted in this program, by deletion: what `u` brings back."""
    standstills: dict[int, str]
    """Why a running run seems to stall, by the run's id."""

    @property
    def store(self) -> Store:
        """The database; waits until it is open. Raises StoreError."""

    @property
    def is_open(self) -> bool:
        """Whether `store` can be had without waiting."""

    @property
    def inference(self) -> InferenceClient:
        """The warm inference process."""

    def open_live(self, run_id: int) -> None:
        """Watch a run."""

    def replace_with_live(self, run_id: int) -> None:
        """Watch a run in place of the form that started it."""

    async def open_form(self, recipe: Recipe | None = None) -> None:
        """Set up a new run."""

    def open_compare(self, run_ids: Sequence[int]) -> None:
        """Show runs side by side."""

    def open_sweep(self, sweep_id: int) -> None:
        """Show one sweep."""

    def replace_with_sweep(self, sweep_id: int) -> None:
        """Watch a sweep in place of the form that queued it."""

    def open_console(self, run: Run | None) -> None:
        """Fill masks with the run's newest checkpoint."""

    def open_help(self) -> None:
        """Show the help page of the screen in front."""

    def action_leave_screen(self) -> None:
        """Go back to the screen before."""
