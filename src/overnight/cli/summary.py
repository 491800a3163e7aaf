"""The closing summary: what a person reads in five seconds, and the JSON a machine reads."""

import json
import os
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeVar

from overnight.cli.output import answer
from overnight.cli.piloting import after_pilot, part_words, pilot_lines
from overnight.cli.screening import decision_rows, screening_rows
from overnight.cli.show import banner
from overnight.cli.sources import vanished_line
from overnight.cli.words import command, counted, duration
from overnight.core.outcome import NotSent
from overnight.core.realm import is_simulated
from overnight.core.usage import Usd
from overnight.report.words import sample_words
from overnight.run.bill import StudyBill, Why
from overnight.run.publish import Closing

_Kind = TypeVar("_Kind", bound=str)
_KIND_CHARS: Final = 13  # "service error", and a number of as many columns less
_FILES_CHARS: Final = 78
_FILES: Final = ("report", "cost", "csv", "xlsx", "parquet", "jsonl", "samples", "verdicts", "ris")


def print_closing(
    closing: Closing, study: Path, *, as_json: bool, seconds: float | None = None, stopped: bool = False
) -> None:
    """stopped: an error follows, and its hint is the next step."""
    if as_json:
        answer(json.dumps(closing.to_json(), ensure_ascii=False), whole=True)
        return
    answer()
    for line in closing_lines(closing, study, seconds, stopped=stopped):
        answer(line)


def closing_lines(
    closing: Closing, study: Path, seconds: float | None = None, *, stopped: bool = False
) -> Iterator[str]:
    """seconds: how long this invocation took, None when it was no run."""
    if banner(closing.realm):
        yield banner(closing.realm)
        yield ""
    yield from _counts(closing, seconds)
    yield ""
    if closing.problems:
        yield from _given_up(closing, study)
        yield ""
    if closing.pilot is not None:
        yield from pilot_lines(closing.pilot, closing)
        yield ""
    if closing.results:
        yield from _results(closing)
        yield ""
    if not stopped:
        yield next_step(closing, study)
    if banner(closing.realm):
        yield banner(closing.realm)


def _counts(closing: Closing, seconds: float | None) -> Iterator[str]:
    yield f"{closing.study}: {counted(closing.records, 'record')}"
    if closing.decides:
        yield from screening_rows(closing)
    else:
        yield _row("answers", closing.answers)
        yield _row("problems", closing.problems.total(), _problems(closing))
        yield _row("not sent", closing.not_sent.total(), _list(closing.not_sent))
    if closing.not_sent[NotSent.OVER_BUDGET] and closing.sample is not None:
        yield _row("", "", sample_words(closing.sample.to_json()))
    if line := vanished_line(closing.vanished):
        yield _row("vanished", closing.vanished.n, line)
    if closing.open:
        under_way = f"{counted(closing.in_flight, 'request')} under way" if closing.in_flight else "still to be sent"
        if closing.in_pilot is not None and not closing.in_flight:
            under_way = f"a pilot of {part_words(closing.in_pilot)}"
        yield _row("open", closing.open, under_way)
        if closing.cannot_send:
            yield _row("", "", f"nothing more is sent: {closing.cannot_send}")
    if closing.decides:
        yield from decision_rows(closing)
    if closing.strays:
        yield _row("strays", closing.strays.total(), f"lines that settle nothing: {_list(closing.strays)}")
    if seconds is not None:
        yield _row("sent now", closing.requests_sent, _sent_words(closing, seconds))
    yield _cost(closing)
    if closing.bill is not None:
        yield from _bill(closing.bill, closing.in_flight)
    if closing.budget is not None:
        reserved = f", {closing.budget.reserved} reserved" if closing.budget.reserved else ""
        words = f"the limit; {closing.budget.spent} spent{reserved}, {closing.budget.left} left"
        yield _row("budget", str(closing.budget.limit), words)


def _given_up(closing: Closing, study: Path) -> Iterator[str]:
    """Each kind with the command that opens it, most frequent first; then where reasons and raw lines are."""
    yield "Given up, until you open them again:"
    for kind, n in _by_number(closing.problems):
        yield _row(_spelled(kind), n, command("retry", study, f"--kind {kind}"), width=_KIND_CHARS)
    if closing.folder is not None and (closing.folder / "results.csv").is_file():
        yield f"  reasons   columns problem and detail of {_shown(closing.folder / 'results.csv')}"
    if closing.raw is not None and closing.raw.is_dir():
        yield f"  raw lines column raw_line: FILE:LINE below {_shown(closing.raw)}{os.sep}"


def _results(closing: Closing) -> Iterator[str]:
    """The folder, then what is new in it."""
    by_folder: dict[Path, list[str]] = {}
    for name in _FILES:
        if path := closing.results.get(name):
            by_folder.setdefault(path.parent, []).append(path.name + (os.sep if path.is_dir() else ""))
    for folder, names in by_folder.items():
        if len(names) == 1:
            yield f"  results   {_shown(folder / names[0])}"
            continue
        yield f"  results   {_shown(folder)}{os.sep}"
        yield from textwrap.wrap(", ".join(names), _FILES_CHARS, initial_indent=" " * 12, subsequent_indent=" " * 12)


def next_step(closing: Closing, study: Path) -> str:
    if closing.in_flight:
        where = "only while the local cloud runs" if is_simulated(closing.realm) else "on Google"
        collects = "collects them; nothing is paid twice"
        if closing.requests_waiting:
            collects = f"collects them and sends the {counted(closing.requests_waiting, 'request')} that wait for money"
        return f"Jobs go on {where}. Next: {command('pilot' if closing.in_pilot else 'run', study)}    ({collects})"
    if closing.pilot is not None:
        report = closing.results.get("report")
        return after_pilot(closing.pilot, study, "" if report is None else _shown(report))
    if closing.open and closing.cannot_send:
        return f"Next: {command('check', study)}    (which models can be used instead, and what they cost)"
    if closing.open:
        return f"Next: {command('plan', study)}    (what is still to be sent, and why)"
    if closing.problems:
        return f"Next: {command('retry', study)} && {command('run', study)}    (asks the problems once more)"
    if "report" in closing.results:
        return f"Next: open {_shown(closing.results['report'])} in a browser"
    return f"Next: {command('export', study, '--to results.xlsx')}"


def _row(name: str, n: int | str, detail: str = "", width: int = 9) -> str:
    number = n if isinstance(n, str) else f"{n:,}"
    return f"  {name:<{width}} {number:>{18 - width}}   {detail}".rstrip()


def _list(counts: Mapping[_Kind, int]) -> str:
    """Most frequent first; one kind alone needs no number beside the row's."""
    if len(counts) == 1:
        return _spelled(next(iter(counts)))
    return ", ".join(f"{n:,} {_spelled(kind)}" for kind, n in _by_number(counts))


def _by_number(counts: Mapping[_Kind, int]) -> list[tuple[_Kind, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))


def _problems(closing: Closing) -> str:
    late = f"; {closing.past_deadline:,} past the deadline, not sent again" if closing.past_deadline else ""
    return _list(closing.problems) + late


def _spelled(kind: str) -> str:
    return str(kind).replace("_", " ")


def _sent_words(closing: Closing, seconds: float) -> str:
    if closing.requests_sent:
        return f"{'request' if closing.requests_sent == 1 else 'requests'}, in {duration(seconds)}"
    if closing.open:
        return "nothing was sent"
    done = f"{counted(closing.jobs_collected, 'job')} collected" if closing.jobs_collected else "nothing to do"
    return f"{done}: every record is settled"


def _cost(closing: Closing) -> str:
    if closing.cost is None:
        return _row("cost", "unknown", "the price of what served is not in the tables")
    if is_simulated(closing.realm):
        return _row("cost", str(closing.cost), "simulated: as if Google had served it")
    before = f"{closing.smoke} of it for rows asked before a job" if closing.smoke else ""
    return _row("cost", str(closing.cost), before)


_PART_WORDS: Final = {
    "input": "input",
    "cached": "cached input",
    "thinking": "thinking",
    "answer": "answers",
    "failed": "problems",
    "strays": "strays",
    "smoke": "rows asked before a job",
}
_WHY_WORDS: Final = {
    Why.NO_LINE: "without a line in the output",
    Why.NO_COUNTS: "without token counts",
    Why.NO_PRICE: "without a known price",
}


def _bill(bill: StudyBill, in_flight: int) -> Iterator[str]:
    """Where the money went, dearest first, and what was saved; what it was meant to be; what nobody knows."""
    parts = sorted((part for part in bill.parts() if part.cost), key=lambda part: part.cost.amount, reverse=True)
    if parts:
        shares = ", ".join(f"{_share(part.cost, bill.known)} {_PART_WORDS[part.name]}" for part in parts)
        yield _row("of it", "", "; ".join([shares, *_saved(bill)]))
    before = bill.before
    if before is not None and before.expected is not None and before.worst is not None and not in_flight:
        between = "" if before.low is None or before.high is None else f" ({before.low} to {before.high})"
        yield _row("estimate", str(before.expected), f"was expected{between}, at worst {before.worst}")
    if bill.unknown:
        words = ", ".join(f"{n:,} {_WHY_WORDS[why]}" for why, n in sorted(bill.unknown.items()))
        yield _row("unknown", bill.unknown.total(), f"{words}: not in the cost, and never taken as nothing")


def _saved(bill: StudyBill) -> Iterator[str]:
    if bill.by_caching:
        yield f"cached input saved {bill.by_caching}"
    if bill.shared:
        yield f"asking equal texts once saved {bill.shared}"


def _share(part: Usd, whole: Usd) -> str:
    percent = 100 * part.amount / whole.amount
    return f"{percent:.0f} %" if percent >= 1 else "<1 %"


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):  # elsewhere; or the folder we were called in is gone
        return str(path)
