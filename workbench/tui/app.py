"""The app: opens the store, polls it once a second, and moves from screen to screen."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import work
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.dom import DOMNode
from textual.screen import Screen

from workbench.errors import WorkbenchError
from workbench.status import ACTIVE
from workbench.text import printable
from workbench.tui.actions import bindings, keys_of
from workbench.tui.runs.screen import RunsScreen
from workbench.tui.screen import WorkbenchScreen
from workbench.tui.theme import PLAIN, WITHOUT_COLOUR, WORKBENCH, theme_for

if TYPE_CHECKING:
    from workbench.inference.client import InferenceClient
    from workbench.recipe import Recipe
    from workbench.store import Run, Store
    from workbench.tui.console.docking import Docking


SWITCH = 0.001
"""Seconds after which a reading thread must hand over the interpreter. Python's default is 5 ms, and a key
press changes threads several times before its answer is sent."""
LOOK_EVERY = 1.0
"""Seconds between two polls of the store. A poll that finds nothing new costs one pragma."""


class WorkbenchApp(App[None]):
    """Holds what the screens share. Everything on them is read from `store`.

    The store is opened while the first screen is drawn, since both take equally long. `failure`: what ended
    the program: an error of the store, or an exception that nothing caught.
    """

    TITLE = "mlm-workbench"
    # The first screen's style is named here, since Textual loads the .tcss of pushed screens only.
    CSS_PATH: ClassVar[list[str | PurePath]] = ["app.tcss", "runs/screen.tcss"]
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")

    def __init__(self, store: Store | Callable[[], Store], *, clock: Callable[[], float] = time.time) -> None:
        # Without colours, use the terminal's own two: Textual would make greys, or black on black.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self._open_store: Callable[[], Store] = store if callable(store) else lambda: store
        self._opening: Future[Store] | None = None
        self.failure: BaseException | None = None
        self.clock = clock
        self.version: int | None = None
        """A number that changes when the store may have changed."""
        self.deleted: list[list[int]] = []
        """The runs deleted in this program, by deletion: what undo restores."""
        self._docking: Docking | None = None
        self.standstills: dict[int, str] = {}
        """Why a running run seems to stall, by the run's id."""
        self._checking = False
        self._trouble: str | None = None
        """Why the last look failed."""
        self._any_active = True
        self._inference: InferenceClient | None = None
        self.animation_level = "none"  # frames of an animation are bytes over SSH
        self.register_theme(WORKBENCH)
        self.register_theme(PLAIN)
        self.theme = PLAIN.name if self.no_color else WORKBENCH.name

    def get_css_variables(self) -> dict[str, str]:
        return {**super().get_css_variables(), **(WITHOUT_COLOUR if self.no_color else {})}

    def get_default_screen(self) -> Screen[Any]:
        return RunsScreen()

    def on_mount(self) -> None:
        self.call_after_refresh(self._begin)

    def _fatal_error(self) -> None:
        """An exception that nothing caught ends the program. Textual's own page would show local variables,
        which hold texts of the user's; the command line says what is to be said."""
        self.failure = self.failure or sys.exc_info()[1]
        self._close_messages_no_wait()

    @property
    def store(self) -> Store:
        """The database; waits until it is open. Raises StoreError."""
        return self._opened().result()

    @property
    def is_open(self) -> bool:
        """Whether `store` can be had without waiting."""
        return self._opening is not None and self._opening.done()

    def _opened(self) -> Future[Store]:
        if self._opening is None:
            self._opening = ThreadPoolExecutor(1).submit(self._open_store)
        return self._opening

    @work
    async def _begin(self) -> None:
        """Open the store, then poll it every second."""
        try:
            store = await asyncio.wrap_future(self._opened())
        except WorkbenchError as error:
            self.failure = error
            self.exit()
            return
        self._reload()
        if store.notice:
            self.notify(printable(store.notice), severity="warning", timeout=30, markup=False)
        self.set_interval(LOOK_EVERY, self._look)
        try:
            await asyncio.to_thread(
                store.catalog.purge
            )  # deleted in a program that was killed before it could purge
        except WorkbenchError as error:
            self._tell(error)

    async def on_unmount(self) -> None:
        if self._inference:
            await self._inference.close()

    @property
    def inference(self) -> InferenceClient:
        """The warm inference process, started on first use."""
        if self._inference is None:
            from workbench.inference.client import InferenceClient

            self._inference = InferenceClient()
        return self._inference

    @property
    def docking(self) -> Docking:
        """The console: where it is shown, and its session."""
        if self._docking is None:
            from workbench.tui.console.docking import Docking

            self._docking = Docking(self)
        return self._docking

    async def _look(self) -> None:
        """Reload the screen when the store has changed; find runs whose process is gone."""
        if self._checking:
            return
        self._checking = True
        try:
            if self._any_active:
                await asyncio.to_thread(self._check_liveness)
            version = await asyncio.to_thread(self.store.data_version)  # a server may take its time
            if version != self.version:
                self.version = version
                self._any_active = True
                self._reload()
            elif self._any_active:
                self._reload()  # the elapsed time of a running run has changed
            self._trouble = None
        except WorkbenchError as error:
            if error.message != self._trouble:  # once, not every second until it is over
                self._trouble = error.message
                self._tell(error)
        finally:
            self._checking = False

    def _tell(self, error: WorkbenchError) -> None:
        self.notify(printable(error.hint), title=printable(error.message), severity="error", markup=False)

    def _check_liveness(self) -> None:
        from workbench.worker import liveness

        runs = liveness.refresh(self.store)
        stalled = {run.id: liveness.stalled(run) for run in runs}
        self.standstills = {run_id: why for run_id, why in stalled.items() if why}
        # a search's remaining trials have no runs yet, but they need the scheduler
        self._any_active = any(run.status in ACTIVE for run in runs) or self.store.sweeps.work_left()

    def _reload(self) -> None:
        screen = next((one for one in reversed(self.screen_stack) if isinstance(one, WorkbenchScreen)), None)
        if screen:
            screen.reload()

    def open_live(self, run_id: int) -> None:
        """Watch a run."""
        from workbench.tui.live.screen import LiveScreen

        self.push_screen(LiveScreen(run_id))

    def replace_with_live(self, run_id: int) -> None:
        """Watch a run in place of the form that started it."""
        from workbench.tui.live.screen import LiveScreen

        self._any_active = True
        for screen in self.screen_stack:
            if isinstance(screen, RunsScreen):
                screen.select(run_id)
        self.switch_screen(LiveScreen(run_id))

    async def open_form(self, recipe: Recipe | None = None) -> None:
        """Set up a new run. Keys typed meanwhile wait for the form's first field."""
        from workbench.tui.new_run.screen import NewRunScreen

        await self.push_screen(NewRunScreen(recipe))

    def open_compare(self, run_ids: Sequence[int]) -> None:
        """Runs side by side."""
        from workbench.tui.compare.screen import CompareScreen

        self.push_screen(CompareScreen(run_ids))

    def action_sweeps(self) -> None:
        """Every sweep."""
        from workbench.tui.sweeps.list_screen import SweepsScreen

        self.push_screen(SweepsScreen())

    def open_sweep(self, sweep_id: int) -> None:
        """One sweep's map and metrics."""
        from workbench.tui.sweeps.sweep_screen import SweepScreen

        self.push_screen(SweepScreen(sweep_id))

    def replace_with_sweep(self, sweep_id: int) -> None:
        """Watch a sweep in place of the form that queued it."""
        from workbench.tui.sweeps.sweep_screen import SweepScreen

        self._any_active = True
        self.switch_screen(SweepScreen(sweep_id))

    def open_console(self, run: Run | None) -> None:
        """Fill masks with the run's newest checkpoint, or with the starter when it has none."""
        self.docking.begin(run)
        self.action_console_full()

    @work(group="console")
    async def action_console_dock(self) -> None:
        """Open, focus or close the console at the bottom of the screen in front."""
        await self.docking.toggle()

    @work(group="console")
    async def action_console_full(self) -> None:
        """Show the console full screen, as it was left."""
        await self.docking.open_full()

    def open_help(self) -> None:
        """Show the help page of the screen in front."""
        from workbench.tui.widgets.help import Help

        self.push_screen(Help.of(self.screen))

    def action_leave_screen(self) -> None:
        """Go back to the screen before."""
        if len(self.screen_stack) > 1:
            self.pop_screen()

    async def action_leave(self) -> None:
        """End the program; name the runs that continue. Deleted runs are purged."""
        active, message = [], None
        if self.is_open and not self._opened().exception():
            active = await asyncio.to_thread(self.store.active_runs)
            if self.deleted:
                await asyncio.to_thread(self.store.catalog.purge)
        if active:
            names = ", ".join(f"{run.id} “{printable(run.name)}”" for run in active[:5])
            more = f" and {len(active) - 5} more" if len(active) > 5 else ""
            verb = "continues" if len(active) == 1 else "continue"
            message = Text(f"Run {names}{more} {verb} in the background. Open the workbench again to watch.")
        self.exit(message=message)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action of the screen in front, then the program's own commands."""
        keys = [key for key in keys_of(screen) if key.title]
        for key in keys:
            if key.owner.check_action(key.action, ()):
                yield SystemCommand(
                    key.what, f"Key: {', '.join(key.keys)}", self._runner(key.owner, key.action)
                )
        if isinstance(screen, WorkbenchScreen):
            yield from screen.commands()
        yield from (command for command in super().get_system_commands(screen) if command.title != "Quit")

    def _runner(self, owner: DOMNode, action: str) -> Callable[[], Any]:
        async def run() -> None:
            await self.run_action(action, owner)

        return run


def run(location: str | None = None) -> None:
    """Open the workbench on the store at `location`. Raises StoreError when it cannot be opened."""

    def open_store() -> Store:
        from workbench.store import Store

        return Store.open(location)

    app = WorkbenchApp(open_store)
    app.theme = theme_for(app.console.color_system, no_color=app.no_color)
    sys.setswitchinterval(SWITCH)
    app.run()
    if app.failure:
        raise app.failure
