"""What a report is made of: plain values that any room can fill. None is always "not known", never zero."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from overnight.core.outcome import Identity, NotSent, ProblemKind, StrayKind
from overnight.core.usage import NO_USAGE, Usage, Usd
from overnight.errors import AccountingError
from overnight.report.records import SampleRecord
from overnight.report.screening import Criterion, Decisions, Screening


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the records: records = answers + problems + not sent + open. pilot: what part of them was asked
    first, in words; empty where none, or where all were asked since."""

    records: int
    answers: int
    open: int = 0
    problems: Mapping[ProblemKind, int] = field(default_factory=dict)
    not_sent: Mapping[NotSent, int] = field(default_factory=dict)
    pilot: str = ""

    @property
    def n_problems(self) -> int:
        return sum(self.problems.values())

    @property
    def n_not_sent(self) -> int:
        return sum(self.not_sent.values())


@dataclass(frozen=True, slots=True)
class Lines:
    """Output lines: read = accepted + strays. `by_identity` counts accepted lines; a mismatched one has no identity."""

    read: int = 0
    accepted: int = 0
    by_identity: Mapping[Identity, int] = field(default_factory=dict)
    strays: Mapping[StrayKind, int] = field(default_factory=dict)
    strays_that_differ: int = 0

    @property
    def n_strays(self) -> int:
        return sum(self.strays.values())


@dataclass(frozen=True, slots=True)
class Choices:
    """Answers to a field with few values, in the order to show. filled: answers with a value, the base of the shares.

    several: one answer can hold more than one of the values.
    """

    name: str
    counts: tuple[tuple[str, int], ...]
    filled: int
    empty: int = 0
    several: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a histogram: `low` to `high` as people read it (one label where both are the same)."""

    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """Answers to a number field. low, median, high are written for people; bins go from low to high."""

    name: str
    filled: int
    low: str
    median: str
    high: str
    bins: tuple[Bin, ...]
    empty: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class Texts:
    """Answers to a text field: how many are filled, and a few of them."""

    name: str
    filled: int
    empty: int = 0
    examples: tuple[str, ...] = ()
    description: str = ""


FieldSummary = Choices | Numbers | Texts


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A record that ended as a problem. words: the service's own, or ours with the path. raw_line: `FILE:LINE` below
    the folder of raw lines, empty where no line came."""

    record_id: str
    kind: ProblemKind
    words: str
    raw_line: str = ""


@dataclass(frozen=True, slots=True)
class ModelBill:
    """What one served model did, or one stage. price: in words, with its source and date. cost None: no price known."""

    served: str
    lines: int
    usage: Usage
    cost: Usd | None
    price: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the cost. name: input, cached, thinking, answer (of answers only), failed, strays, smoke."""

    name: str
    tokens: int
    cost: Usd


@dataclass(frozen=True, slots=True)
class Bill:
    """Tokens and money of the whole study in its realm, lines of problems and strays included.

    total None: not known. lines_without_usage: lines the service gave no token counts for, or requests its output says
    nothing of; the total is then a lower bound. parts: where the money went. standard: the same tokens at the standard
    price. estimate: (low, expected, high) as planned. by_caching, by_sharing: what cached tokens, and equal texts asked
    once, have saved.
    """

    total: Usd | None = None
    usage: Usage = NO_USAGE
    lines_without_usage: int = 0
    by_model: tuple[ModelBill, ...] = ()
    by_stage: tuple[ModelBill, ...] = ()
    parts: tuple[Part, ...] = ()
    by_caching: Usd | None = None
    by_sharing: Usd | None = None
    standard: Usd | None = None
    estimate: tuple[Usd, Usd, Usd] | None = None
    worst_case: Usd | None = None
    limit: Usd | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """Times as the service wrote them, empty when absent. rows_back None: not collected yet."""

    name: str
    state: str
    rows: int
    rows_back: int | None = None
    created: str = ""
    started: str = ""
    ended: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """One recipe, whole. prompt: with a placeholder where a column goes in. schema: JSON, indented.

    asked: of which samples, where a stage has several; repeated: several ask with these same words. texts: what the
    system instruction is made of, with digests.
    """

    name: str
    system: str
    prompt: str
    schema: str
    recipe: str
    max_output_tokens: str = ""
    asked: str = ""
    repeated: bool = False
    texts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class InputFile:
    name: str
    records: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Method:
    """served: (model version, lines) as the service reported it. thinking: in words, with what `max` became."""

    model: str
    served: tuple[tuple[str, int], ...]
    thinking: str
    stages: tuple[Stage, ...]
    files: tuple[InputFile, ...]
    software: str
    ledger_uid: str
    location: str = ""
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything the page shows. made: the date to print. realm: who answered (core/realm.py).

    given_up: the first of each kind, in the table's order; at most render.MOST_GIVEN_UP of a kind are shown. raw: the
    folder of raw lines, as seen from the study's. fields is for `ask`; decisions, criteria and screening for `screen`.
    samples: the first records in the table's order, of a `screen` the first of those that need no person; at most
    render.MOST_SAMPLES are shown. Raises AccountingError where the sums do not add up: such a page must not exist.
    """

    study: str
    question: str
    realm: str
    made: str
    counts: Counts
    method: Method
    bill: Bill = Bill()
    lines: Lines = Lines()
    decisions: Decisions | None = None
    criteria: tuple[Criterion, ...] = ()
    screening: Screening | None = None
    fields: tuple[FieldSummary, ...] = ()
    given_up: tuple[GivenUp, ...] = ()
    raw: str = ""
    samples: tuple[SampleRecord, ...] = ()
    jobs: tuple[Job, ...] = ()

    def __post_init__(self) -> None:
        counts, lines = self.counts, self.lines
        ended = counts.answers + counts.n_problems + counts.n_not_sent + counts.open
        if counts.records != ended:
            raise AccountingError(
                f"{counts.records:,} records, but {counts.answers:,} answers + {counts.n_problems:,} problems + "
                f"{counts.n_not_sent:,} not sent + {counts.open:,} open = {ended:,}",
                where=f"report of {self.study}",
                hint="No report was made of it. Please report this: it is a mistake in overnight.",
            )
        if lines.read != lines.accepted + lines.n_strays or sum(lines.by_identity.values()) > lines.accepted:
            raise AccountingError(
                f"{lines.read:,} lines, but {lines.accepted:,} accepted + {lines.n_strays:,} strays "
                f"({sum(lines.by_identity.values()):,} with an identity)",
                where=f"report of {self.study}",
                hint="No report was made of it. Please report this: it is a mistake in overnight.",
            )
