"""The closing summary: what a person reads in five seconds, and the JSON a machine reads."""

import json
from collections.abc import Iterable
from pathlib import Path

from overnight.cli.show import banner
from overnight.core.realm import is_simulated
from overnight.run.publish import Closing


def print_closing(closing: Closing, study: Path, *, as_json: bool, seconds: float) -> None:
    if as_json:
        print(json.dumps(closing.to_json(), ensure_ascii=False))
        return
    print()
    for line in closing_lines(closing, study, seconds):
        print(line)


def closing_lines(closing: Closing, study: Path, seconds: float) -> Iterable[str]:
    if banner(closing.realm):
        yield banner(closing.realm)
        yield ""
    yield f"{closing.study}: {closing.records:,} records"
    yield _row("answers", closing.answers, _list(closing.decisions))
    yield _row("problems", closing.problems.total(), _list(closing.problems))
    yield _row("not sent", closing.not_sent.total(), _list(closing.not_sent))
    if closing.open:
        yield _row("open", closing.open, f"{closing.in_flight:,} requests under way" if closing.in_flight else "")
    strays = closing.strays.total()
    if strays:
        yield _row("strays", strays, f"lines that settle nothing: {_list(closing.strays)}")
    yield f"  sent now  {closing.requests_sent:>9,}   {_sent_words(closing, seconds)}"
    yield f"  cost      {_cost(closing)}"
    yield ""
    for name in ("report", "csv", "xlsx", "parquet", "jsonl"):
        if name in closing.results:
            yield f"  {name:<9} {_shown(closing.results[name])}"
    yield ""
    yield from next_commands(closing, study)
    if banner(closing.realm):
        yield banner(closing.realm)


def next_commands(closing: Closing, study: Path) -> Iterable[str]:
    name = "" if str(study) == "study.yaml" else f" {study}"
    if closing.detached:
        where = "on Google" if not is_simulated(closing.realm) else "only while the local cloud runs"
        yield f"Jobs go on {where}. Next: overnight run{name}    (collects them; nothing is paid twice)"
    elif closing.open and not closing.in_flight:
        yield f"Next: overnight plan{name}    (what is still to be sent, and why)"
    elif closing.problems:
        yield f"Next: overnight retry{name} && overnight run{name}    (sends the problems once more)"
    else:
        yield f"Next: overnight export{name} --to results.xlsx"


def _row(name: str, n: int, detail: str) -> str:
    return f"  {name:<9} {n:>9,}   {detail}".rstrip()


def _list(counts: Iterable[str]) -> str:
    pairs = counts.most_common() if hasattr(counts, "most_common") else []
    return ", ".join(f"{n:,} {str(kind).replace('_', ' ')}" for kind, n in pairs)


def _sent_words(closing: Closing, seconds: float) -> str:
    if not closing.requests_sent:
        return "nothing to do: every record is settled" if not closing.open else "nothing was sent"
    n = len(closing.jobs)
    return f"requests, {n} job{'s' if n != 1 else ''} so far, {seconds:.0f} s"


def _cost(closing: Closing) -> str:
    if closing.cost is None:
        return "  unknown: the price of what served is not in the tables"
    mark = "  (simulated: as if Google had served it)" if is_simulated(closing.realm) else ""
    return f"{closing.cost!s:>11}{mark}"


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
