"""What the page of a screen shows beyond that of an `ask`: decisions, criteria, records a person has to look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from overnight.report.records import SampleRecord


class Concern(StrEnum):
    """Why a person has to look at a record, the most doubtful first: the order in which the page lists them."""

    UNSETTLED = "unsettled"
    UNCLEAR = "unclear"
    ADJUDICATED = "adjudicated"
    DOUBTFUL = "doubtful"
    NO_ANSWER = "no_answer"
    NO_ABSTRACT = "no_abstract"


@dataclass(frozen=True, slots=True)
class Decisions:
    """counts: include, exclude, unclear. reasons: of exclusions, most frequent first."""

    counts: Mapping[str, int]
    reasons: tuple[tuple[str, int], ...] = ()
    decided_by: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Criterion:
    """verdicts: met, not_met, not_stated, unclear → records. quotes: verdicts with one; quotes_found: seen in text.

    split: records whose samples differ on it. if_silent: what silence counts as. reason: given for an exclusion.
    """

    id: str
    ask: str
    kind: Literal["include", "exclude"]
    verdicts: Mapping[str, int]
    quotes: int = 0
    quotes_found: int = 0
    split: int = 0
    if_silent: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """Records a person has to look at, for one concern. records: the most doubtful; n: of how many."""

    concern: Concern
    n: int
    records: tuple[SampleRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Split:
    """A record whose samples differ. number: as in SampleRecord. votes: (criterion, "met 2, not stated 1"), of those in
    which they do."""

    number: int
    record_id: str
    title: str
    votes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """Of records with several samples: records = agreed + contested. adjudicated: of these too. too_many: what it means
    that so many are contested, empty where they are not."""

    records: int
    agreed: int
    contested: int
    adjudicated: int
    too_many: str = ""


@dataclass(frozen=True, slots=True)
class Screening:
    """no_person: records that have a decision and need nobody. listed: in the order of Concern, none without a record.
    splits: the records that split most, most first."""

    listed: tuple[Listed, ...] = ()
    no_person: int = 0
    compared: Compared | None = None
    splits: tuple[Split, ...] = ()

    @property
    def for_person(self) -> int:
        return sum(each.n for each in self.listed)

    @property
    def n_shown(self) -> int:
        return sum(len(each.records) for each in self.listed)

    @property
    def shown(self) -> frozenset[int]:
        """Numbers of the records that are on the page."""
        return frozenset(record.number for each in self.listed for record in each.records)
