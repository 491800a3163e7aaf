"""What a screen's report lists: a contested record with three samples and an adjudicator, and one of every concern.

Fictional, like every abstract here.
"""

from overnight.report.records import Passage, Quote, SampleRecord, Verdict, Voice
from overnight.report.screening import Compared, Concern, Listed, Screening, Split

ABSTRACT = (
    "Forty night porters were given a bunk at three, a planned nap of half an hour on two nights of the week. Lapses "
    "fell. Whether they slept is not described."
)


def place(words: str, criterion: str, *by: str) -> Quote:
    start = ABSTRACT.index(words)
    return Quote(start, start + len(words), criterion, by)


NIGHT = "Forty night porters were given a bunk at three"
NAP = "given a bunk at three, a planned nap of half an hour"
LONGER = "a planned nap of half an hour on two nights of the week"

CONTESTED = SampleRecord(
    record_id="fict-0412",
    state="answer",
    number=412,
    title="A bunk at three: what forty porters made of it",
    passages=(
        Passage(
            "abstract",
            ABSTRACT,
            (
                place(NIGHT, "night_shift", "sample 1", "sample 2"),
                place(NAP, "planned_nap", "sample 1"),
                place(LONGER, "planned_nap", "sample 3"),
            ),
        ),
    ),
    decision="unclear",
    why="samples differ: include 1, exclude 1, no answer 1",
    doubts=("samples differ: include 1, exclude 1, no answer 1", "quote not found: planned_nap"),
    agreement="1 of 3",
    contested="samples decide differently; a sample has no answer",
    verdicts=(
        Verdict("night_shift", "met", NIGHT, True, "Porters at night.", "met 2, no answer 1"),
        Verdict("planned_nap", "unclear", "a siesta", False, "No nap.", "met 1, unclear 1, no answer 1"),
    ),
    differ=("planned_nap",),
    voices=(
        Voice(
            "sample 1",
            decision="include",
            own="exclude",
            verdicts=(
                Verdict("night_shift", "met", NIGHT, True, "Porters at night."),
                Verdict("planned_nap", "met", NAP, True, "A bunk and a planned nap."),
            ),
            rationale="Porters were given a nap.",
            reviewer="B",
        ),
        Voice(
            "sample 2",
            "for",
            decision="exclude",
            verdicts=(
                Verdict("night_shift", "met", NIGHT, True, "Porters at night."),
                Verdict("planned_nap", "not_met", "a siesta", False, "A siesta is no planned nap."),
            ),
            rationale="There was no nap.",
            reviewer="A",
        ),
        Voice("sample 3", missing="truncated"),
        Voice(
            "adjudicator",
            decision="unclear",
            verdicts=(Verdict("planned_nap", "unclear", LONGER, True, "It can be read both ways."),),
            rationale="A bunk is not sleep.",
            mistakes="Reviewer A quotes words that are not there.",
        ),
    ),
)


_NUMBERS = {
    Concern.UNSETTLED: 40,
    Concern.UNCLEAR: 33,
    Concern.ADJUDICATED: 5,
    Concern.DOUBTFUL: 12,
    Concern.NO_ANSWER: 12,
    Concern.NO_ABSTRACT: 31,
}


def screening() -> Screening:
    """Of the 1,089 records of report_example with a decision 133 need a person: the 116 that are unclear, and 17."""
    one = SampleRecord("fict-0413", "answer", "Naps, perhaps", decision="unclear", doubts=("planned_nap unclear",))
    poster = SampleRecord("fict-0025", "not_sent", "A poster without an abstract", kind="no_text")
    shown = {Concern.UNSETTLED: CONTESTED, Concern.NO_ABSTRACT: poster}
    listed = tuple(Listed(concern, n, (shown.get(concern, one),)) for concern, n in _NUMBERS.items())
    splits = (
        Split(412, "fict-0412", CONTESTED.title, (("planned_nap", "met 1, unclear 1, no answer 1"),)),
        Split(9, "fict-0009", "Settled after all", (("night_shift", "met 2, unclear 1"),)),
    )
    return Screening(listed, 956, Compared(1_046, 900, 146, 120), splits)
