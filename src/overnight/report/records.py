"""One record as the page shows it: its texts with quotes marked, verdicts, and what each sample said."""

from dataclasses import dataclass
from typing import Literal

from overnight.core.usage import NO_USAGE, Usage, Usd

State = Literal["answer", "problem", "not_sent", "open"]


@dataclass(frozen=True, slots=True)
class Quote:
    """A found quote: `text[start:end]` of its passage. Places outside the passage are ignored. by: who quoted it, empty
    where only one was asked."""

    start: int
    end: int
    criterion: str = ""
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """One text of a record as its table has it: the column's name, the text, the quotes found in it."""

    name: str
    text: str
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """One criterion of one record. quote_found None: no quote was asked for or given. votes: such as "met 2, unclear
    1", empty where one sample was asked."""

    criterion: str
    verdict: str
    quote: str = ""
    quote_found: bool | None = None
    reason: str = ""
    votes: str = ""


@dataclass(frozen=True, slots=True)
class Voice:
    """What one sample said of a record, or the adjudicator. name: "sample 1", "adjudicator". reviewer: the letter that
    the adjudicator knows it by, empty where none was asked. framing: empty for neutral. decision: by the rule, from its
    verdicts; own: the model's own word, where it is another. verdicts: by criterion. missing: why it has no answer;
    then all the rest is empty.
    """

    name: str
    framing: str = ""
    decision: str = ""
    own: str = ""
    verdicts: tuple[Verdict, ...] = ()
    rationale: str = ""
    mistakes: str = ""
    missing: str = ""
    reviewer: str = ""

    def on(self, criterion: str) -> Verdict | None:
        return next((verdict for verdict in self.verdicts if verdict.criterion == criterion), None)


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """number: in the table, from 1; what leads to the record on the page. kind: the ProblemKind or NotSent value.
    detail: the service's own words. fields: (name, value) as people read them.

    Of a `screen`: doubts: why a person has to look. agreement: such as `2 of 3`. contested: why its samples do not
    settle it, in words; empty where they do. rationale: of who speaks for the record. voices: where several were asked,
    and differ: the samples, then the adjudicator. differ: the criteria in which they do.
    """

    record_id: str
    state: State
    title: str = ""
    passages: tuple[Passage, ...] = ()
    kind: str = ""
    detail: str = ""
    decision: str = ""
    why: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    usage: Usage = NO_USAGE
    cost: Usd | None = None
    served: str = ""
    number: int = 0
    doubts: tuple[str, ...] = ()
    agreement: str = ""
    contested: str = ""
    rationale: str = ""
    voices: tuple[Voice, ...] = ()
    differ: tuple[str, ...] = ()
