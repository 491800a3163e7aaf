"""What a person sees while a run works: live on a terminal, plain lines elsewhere. Standard error, so that `--json` and
`plan` keep standard output for themselves."""

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Final, Protocol, Self

from overnight.cli.output import say
from overnight.core.events import Event, JobChanged, Note, Progress, StepStarted
from overnight.core.realm import GOOGLE

if TYPE_CHECKING:
    from rich.progress import TaskID

STAND_IN_LINE: Final = "LOCAL STAND-IN: no model answers here and nothing is paid; answers and costs are made up."

_STEPS: Final = {
    "plan": "planning",
    "upload": "uploading",
    "send": "sending",
    "collect": "collecting",
}


def banner(realm: str) -> str:
    return "" if realm == GOOGLE else STAND_IN_LINE


class Shown(Protocol):
    """tell: what to hand to a run. quiet: holds a live display still while a person is asked something."""

    def tell(self, event: Event) -> None: ...

    def quiet(self) -> AbstractContextManager[None]: ...


@contextmanager
def showing(*, live: bool = True) -> Iterator[Shown]:
    if live and sys.stderr.isatty():
        with _Live() as shown:
            yield shown
    else:
        yield _Plain()


class _Plain:
    """One line an event; progress only now and then."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def quiet(self) -> AbstractContextManager[None]:
        return nullcontext()

    def tell(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._progress(event)
        elif isinstance(event, StepStarted):
            if event.step != "plan":
                say(f"{_STEPS.get(event.step, event.step)} {event.detail}".rstrip())
        elif event.text:
            mark = "warning: " if isinstance(event, Note) and event.level == "warning" else ""
            say(f"{mark}{event.text}")

    def _progress(self, event: Progress) -> None:
        now = time.monotonic()
        if event.done < event.total and now - self._last.get(event.step, now - 5.1) < 5:
            return
        if event.done == event.total and event.step not in self._last:
            return
        self._last[event.step] = now
        say(f"  {event.done:,} of {event.total:,} {event.unit}")


class _Live:
    """Bars and spinners of rich, with the plain lines above them."""

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    def tell(self, event: Event) -> None:
        if isinstance(event, Progress):
            task = self._task(event.step, _STEPS.get(event.step, event.step), event.total)
            self._progress.update(task, completed=event.done, total=event.total or None)
        elif isinstance(event, StepStarted):
            if event.step == "upload":
                self._console.print(f"[dim]uploading {_escaped(event.detail)}[/]")
        elif isinstance(event, JobChanged):
            task = self._task(f"job {event.shard}", event.text, event.n_requests)
            self._progress.update(task, description=_escaped(event.text))
            if event.status.state == "JOB_STATE_SUCCEEDED":
                self._progress.update(task, completed=event.n_requests)
        elif event.text:
            style = "yellow" if isinstance(event, Note) and event.level == "warning" else "dim"
            self._console.print(f"[{style}]{_escaped(event.text)}[/]")

    def _task(self, name: str, description: str, total: int) -> "TaskID":
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(_escaped(description), total=total or None)
        return self._tasks[name]


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
