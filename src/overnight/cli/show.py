"""What a person sees while a run works: live on a terminal, plain lines elsewhere. Standard error, so that `--json` and
`plan` keep standard output for themselves."""

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Final, Protocol, Self

from overnight.cli.output import harmless, say
from overnight.core.events import Event, JobChanged, Note, Progress, StepStarted
from overnight.core.realm import GOOGLE

if TYPE_CHECKING:
    from rich.progress import TaskID

STAND_IN_LINE: Final = "LOCAL STAND-IN: no model answers and nothing is paid; all answers are made up."

_STEPS: Final = {
    "plan": "planning",
    "preflight": "looking at",
    "smoke": "asking at once",
    "upload": "uploading",
    "send": "sending",
    "collect": "collecting",
    "publish": "writing results",
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
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._step = ""
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
        if isinstance(event, StepStarted):
            self._begin(event.step)
        elif isinstance(event, Progress):
            if event.step not in self._tasks:
                self._begin(event.step)
            self._draw(event.step, done=event.done, total=event.total, unit=event.unit)
        elif isinstance(event, JobChanged):
            self._end_step()
            whole = event.status.state == "JOB_STATE_SUCCEEDED"
            name = f"job {event.shard}"
            self._draw(name, f"{name}: {event.word}", done=event.n_requests if whole else None, total=event.n_requests)
        elif event.text:
            warning = isinstance(event, Note) and event.level == "warning"
            self._console.print(f"[yellow]warning:[/] {_escaped(event.text)}" if warning else _escaped(event.text))

    def _begin(self, step: str) -> None:
        """One step is drawn at a time; jobs stay."""
        self._end_step()
        self._step = step
        self._draw(step, _STEPS.get(step, step))

    def _end_step(self) -> None:
        if self._step in self._tasks:
            self._progress.remove_task(self._tasks.pop(self._step))
        self._step = ""

    def _draw(
        self, name: str, words: str | None = None, *, done: int | None = None, total: int = 0, unit: str = "requests"
    ) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task("", total=None, count="")
        count = f"{done:,} of {total:,} {unit}" if done is not None and total else f"{total:,} {unit}" if total else ""
        # A bar without a total moves to and fro: nothing is known of how far it is.
        self._progress.update(
            self._tasks[name],
            description=None if words is None else _escaped(words),
            completed=done,
            total=total if done is not None else None,
            count=count,
        )


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(harmless(text))
