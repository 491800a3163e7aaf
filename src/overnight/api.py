"""The Python API: the command line's verbs as functions. Each opens the study, does one thing, and closes it.

All raise OvernightError (errors.py) with what, where and what to do. Paths are of a study file or its folder.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from overnight.core.events import Tell, silent
from overnight.core.outcome import ProblemKind
from overnight.core.usage import Usd
from overnight.errors import Finding, UsageError
from overnight.run import loop, publish, reopen
from overnight.run.plan import make_plan
from overnight.run.world import Options
from overnight.wiring.opening import open_study

if TYPE_CHECKING:
    from overnight.planning.difference import Plan

StudyPath = str | Path


@dataclass(frozen=True, slots=True)
class Checked:
    """A study in which nothing is wrong. warnings: what is worth knowing before it is run."""

    name: str
    realm: str
    n_records: int
    warnings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """plan: what would be sent and why. Amounts are None where the model's price is not known."""

    plan: "Plan"
    expected: Usd | None
    worst: Usd | None


def check(study: StudyPath) -> Checked:
    """Everything that is wrong at once, as StudyError or RecordsError. Reads all records; spends nothing."""
    with open_study(Path(study)) as opened:
        return Checked(opened.study.name, opened.world.realm, opened.n_records, opened.warnings)


def plan(study: StudyPath) -> Planned:
    """What a run would send. Changes nothing."""
    with open_study(Path(study)) as opened:
        planned = make_plan(opened.world)
        return Planned(planned.plan, planned.expected, planned.worst)


def run(
    study: StudyPath,
    *,
    max_usd: str | Decimal | int | None = None,
    yes: bool = False,
    pay_again: bool = False,
    detach: bool = False,
    ask: Callable[[str], bool] | None = None,
    tell: Tell = silent,
) -> publish.Closing:
    """Send what is missing, wait, collect, write results. On Google this spends money: see max_usd.

    max_usd: cap of this run, as text, Decimal or int (no float). yes: go on without asking. ask: gets a yes-or-no
    question. Without any of the three, and without budget.limit_usd in the study, realm google raises ConsentError.
    """
    cap = None if max_usd is None else Usd(max_usd)
    options = Options(yes=yes, max_usd=cap, pay_again=pay_again, detach=detach, ask=ask)
    with open_study(Path(study), tell=tell, command="run", connect=True) as opened:
        return loop.run(opened.world, options)


def status(study: StudyPath) -> publish.Closing:
    """How every record stands, from the ledger alone. May be asked while another process runs the study."""
    with open_study(Path(study)) as opened:
        closing = publish.Closing(opened.world.study, opened.world.realm)
        publish.account(opened.world, closing)
        return closing


def fetch(study: StudyPath, *, reparse: bool = False, tell: Tell = silent) -> publish.Closing:
    """Collect what has ended and write results; never sends."""
    with open_study(Path(study), tell=tell, command="fetch", connect=True) as opened:
        return loop.fetch(opened.world, Options(), again=reparse)


def cancel(study: StudyPath, *, tell: Tell = silent) -> int:
    """Ask for running jobs to be cancelled; returns how many."""
    with open_study(Path(study), tell=tell, command="cancel", connect=True) as opened:
        return loop.cancel(opened.world)


def retry(study: StudyPath, kinds: Sequence[str] = ()) -> Counter[ProblemKind]:
    """Open what was given up (all kinds when none is named); the next run sends it. Returns how many of each kind."""
    known = {kind.value: kind for kind in ProblemKind}
    unknown = [kind for kind in kinds if kind not in known]
    if unknown:
        raise UsageError(
            f"there is no kind of problem called {unknown[0]!r}", hint=f"One of {', '.join(sorted(known))}."
        )
    with open_study(Path(study), command="retry") as opened:
        return reopen.retry(opened.world, [known[kind] for kind in kinds])


def forget(study: StudyPath, record_ids: Sequence[str]) -> reopen.Forgotten:
    """Open the answers of these records; the next run asks and pays for them anew."""
    with open_study(Path(study), command="forget") as opened:
        return reopen.forget(opened.world, record_ids)


def export(study: StudyPath, target: StudyPath) -> publish.Closing:
    """Results as the file's ending says: .csv, .xlsx, .parquet or .jsonl. Writes over what is there."""
    file = Path(target)
    format_ = file.suffix.lower().removeprefix(".")
    if format_ not in publish.FORMATS:
        raise UsageError(
            f"{file.name} is of no format that can be written",
            hint=f"End its name with .{', .'.join(publish.FORMATS)}.",
        )
    with open_study(Path(study)) as opened:
        closing = publish.Closing(opened.world.study, opened.world.realm)
        publish.export(opened.world, closing, file, format_)
        return closing
