"""The Python API: the command line's verbs as methods. Each opens the study, does one thing, and closes it.

All raise OvernightError (errors.py) with what, where and what to do.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from overnight.core.events import Tell, silent
from overnight.core.outcome import ProblemKind
from overnight.core.usage import Usd
from overnight.errors import Finding, UsageError
from overnight.run import clean, loop, pilot, publish, reopen
from overnight.run.adopt import Adopted, adopt
from overnight.run.plan import make_plan
from overnight.run.rebuild import Rebuilt, rebuild
from overnight.run.world import Options, World
from overnight.wiring.notify import notifying
from overnight.wiring.opening import open_study
from overnight.wiring.recovering import open_site

if TYPE_CHECKING:
    from overnight.planning.difference import Plan


@dataclass(frozen=True, slots=True)
class Checked:
    """A study in which nothing is wrong. warnings: what is worth knowing before it is run."""

    name: str
    realm: str
    n_records: int
    warnings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """plan: what would be sent and why. Amounts are None where the model's price is not known.

    low to worst: of these requests. together: expected, with the later stages that may follow on them.
    """

    plan: "Plan"
    low: Usd | None
    expected: Usd | None
    high: Usd | None
    worst: Usd | None
    together: Usd | None


class StudyFile:
    """A study by its file: `overnight.open("study.yaml")`. Nothing is read before a verb is called."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"overnight.open({str(self.path)!r})"

    def check(self, *, allow_unknown_model: bool = False) -> Checked:
        """Everything that is wrong at once, as StudyError or RecordsError. Reads all records; spends nothing."""
        with open_study(self.path, allow_unknown_model=allow_unknown_model) as opened:
            return Checked(opened.study.name, opened.world.realm, opened.n_records, opened.warnings)

    def plan(self, *, allow_unknown_model: bool = False) -> Planned:
        """What a run would send. Changes nothing."""
        with open_study(self.path, allow_unknown_model=allow_unknown_model) as opened:
            planned = make_plan(opened.world)
            if planned.estimated is None:
                return Planned(planned.plan, None, None, None, None, None)
            amounts = planned.estimated.amounts
            low, expected, high, worst = amounts.low, amounts.expected, amounts.high, amounts.worst
            return Planned(planned.plan, low, expected, high, worst, planned.together)

    def run(
        self,
        *,
        max_usd: str | Decimal | int | None = None,
        yes: bool = False,
        pay_again: bool = False,
        detach: bool = False,
        new_recipe: bool = False,
        resubmit: bool = False,
        smoke: bool = True,
        take_over: bool = False,
        allow_unknown_model: bool = False,
        ask: Callable[[str], bool] | None = None,
        tell: Tell = silent,
    ) -> publish.Closing:
        """Send what is missing, wait, collect, write results. On Google this spends money: see max_usd.

        max_usd: cap of this run, as text, Decimal or int (no float). yes: go on without asking. ask: gets a yes-or-no
        question. Without any of the three, and without budget.limit_usd in the study, realm google raises ConsentError.
        new_recipe: this version's wording in place of the study's. resubmit: a job whose create had no reply is not
        there, so its requests are sent again. smoke: before the first job on Google, two rows are asked at once.
        take_over: send from here although another copy of the study has sent (LockedError otherwise).
        allow_unknown_model: a model that no table knows goes through, with a price in the study's own file.
        """
        with self._to_send("run", tell, new_recipe, allow_unknown_model) as (world, closing):
            return loop.run(
                world,
                Options(
                    yes=yes,
                    max_usd=None if max_usd is None else Usd(max_usd),
                    pay_again=pay_again,
                    resubmit=resubmit,
                    take_over=take_over,
                    detach=detach,
                    smoke=smoke,
                    ask=ask,
                ),
                closing,
            )

    def pilot(
        self,
        records: int | None = None,
        seed: int | None = None,
        *,
        max_usd: str | Decimal | int | None = None,
        yes: bool = False,
        pay_again: bool = False,
        detach: bool = False,
        new_recipe: bool = False,
        resubmit: bool = False,
        smoke: bool = True,
        take_over: bool = False,
        allow_unknown_model: bool = False,
        ask: Callable[[str], bool] | None = None,
        tell: Tell = silent,
    ) -> publish.Closing:
        """The run of some records first, all stages; `pilot` of what it returns holds what was measured.

        records: 50 unless said. seed: of the draw, 1 unless said; a study with `when_over: fit` has its own. The others
        as for `run`.
        """
        with self._to_send("pilot", tell, new_recipe, allow_unknown_model) as (world, closing):
            options = Options(
                yes=yes,
                max_usd=None if max_usd is None else Usd(max_usd),
                pay_again=pay_again,
                resubmit=resubmit,
                take_over=take_over,
                detach=detach,
                smoke=smoke,
                ask=ask,
            )
            return pilot.pilot(world, options, closing, n=records, seed=seed)

    @contextmanager
    def _to_send(
        self, command: str, tell: Tell, new_recipe: bool, allow_unknown_model: bool
    ) -> Iterator[tuple[World, publish.Closing]]:
        with open_study(
            self.path,
            tell=tell,
            command=command,
            connect=True,
            new_recipe=new_recipe,
            allow_unknown_model=allow_unknown_model,
        ) as opened:
            closing = publish.Closing(opened.world.study, opened.world.realm)
            with notifying(opened, closing):
                yield opened.world, closing

    def status(self) -> publish.Closing:
        """How every record stands, from the ledger alone. May be asked while another process runs the study."""
        with open_study(self.path, to_send=False) as opened:
            closing = publish.Closing(opened.world.study, opened.world.realm)
            publish.account(opened.world, closing)
            return closing

    def fetch(self, *, reparse: bool = False, tell: Tell = silent) -> publish.Closing:
        """Collect what has ended and write results; never sends."""
        with open_study(self.path, tell=tell, command="fetch", to_send=False, connect=True) as opened:
            closing = publish.Closing(opened.world.study, opened.world.realm)
            with notifying(opened, closing):
                return loop.fetch(opened.world, Options(), closing, again=reparse)

    def recover(self, uid: str = "", *, tell: Tell = silent) -> Rebuilt:
        """Make a lost or damaged ledger again, from the bucket and the list of jobs; sends nothing. Then `fetch`.

        uid: which study, where several have this one's name. A ledger that is whole and knows jobs is never replaced.
        """
        with open_site(self.path, tell=tell) as site:
            return rebuild(site, uid)

    def cancel(self, *, tell: Tell = silent) -> int:
        """Ask for running jobs to be cancelled; returns how many."""
        with open_study(self.path, tell=tell, command="cancel", to_send=False, connect=True) as opened:
            return loop.cancel(opened.world)

    def retry(self, kinds: Sequence[str] = ()) -> Counter[ProblemKind]:
        """Open what was given up (all kinds when none is named); the next run sends it. Returns counts by kind."""
        known = {kind.value: kind for kind in ProblemKind}
        unknown = [kind for kind in kinds if kind not in known]
        if unknown:
            raise UsageError(
                f"there is no kind of problem called {unknown[0]!r}", hint=f"One of {', '.join(sorted(known))}."
            )
        with open_study(self.path, command="retry", to_send=False) as opened:
            return reopen.retry(opened.world, [known[kind] for kind in kinds])

    def forget(self, record_ids: Sequence[str]) -> reopen.Forgotten:
        """Open the answers of these records; the next run asks and pays for them anew."""
        with open_study(self.path, command="forget", to_send=False) as opened:
            return reopen.forget(opened.world, record_ids)

    def adopt(self, job: str, *, tell: Tell = silent) -> Adopted:
        """A job made by hand becomes one of the study's. job: its full name, or its number. Sends nothing."""
        with open_study(self.path, tell=tell, command="adopt", to_send=False, connect=True) as opened:
            return adopt(opened.world, job)

    def clean(self, *, tell: Tell = silent) -> tuple[clean.Leftover, ...]:
        """Remove the study's files from the cloud, and its ended jobs. Returns what was removed; asks nobody."""
        with open_study(self.path, tell=tell, command="clean", to_send=False, connect=True) as opened:
            found = tuple(clean.leftovers(opened.world))
            for leftover in found:
                clean.remove(opened.world, leftover)
            return found

    def export(self, target: str | Path, *, tool: str = "", table: str = "") -> publish.Closing:
        """Results as the file's ending says: .csv, .xlsx, .parquet, .jsonl, .ris or .bib. Writes over what is there.

        tool: `asreview` or `rayyan`, for a CSV with the columns that it takes. table: `samples` or `verdicts`,
        in place of the records.
        """
        file = Path(target)
        format_ = publish.format_of(file, tool)
        with open_study(self.path, to_send=False) as opened:
            closing = publish.Closing(opened.world.study, opened.world.realm)
            publish.export(opened.world, closing, file, format_, table)
            return closing


def open(path: str | Path = "study.yaml") -> StudyFile:  # noqa: A001  # read as overnight.open
    """path: of a study file or its folder."""
    return StudyFile(path)
