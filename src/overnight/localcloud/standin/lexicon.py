"""A few dozen words of screening and what else says them: all that the stand-in knows of any language."""

from typing import Final

from overnight.localcloud.standin.words import stems

SYNONYMS_TEXT: Final = """
    night nights nighttime nocturnal overnight
    shift shifts duty rota roster
    nap naps napping siesta
    planned scheduled protected prophylactic prearranged
    compared versus randomised randomized randomly controlled crossover comparison lot control assigned alternated
    alertness alert sleepiness sleepy vigilance attention drowsiness lapses wakefulness reaction psychomotor performance
    work workers staff employees nurses drivers operators guards
    review reviews reviewed searched databases scoping synthesis literature
    protocol protocols
    comment commentary editorial letter opinion viewpoint
    correction erratum corrigendum retraction retracted
    animals rats mice mouse rodents flies drosophila zebrafish fish larvae hamsters pigs dogs monkeys voles insects bees
    cells fibroblasts neurons cultures vitro slices tissue
    children child infants newborns neonates paediatric pediatric toddlers preschool pupils adolescents boys girls
    cancer carcinoma tumour tumor neoplasm neoplasia lymphoma leukaemia leukemia melanoma sarcoma oncology malignant
    surgery operation operative surgical surgically resection postoperative preoperative
"""
"""A line: words that stand for each other."""

OPPOSITES_TEXT: Final = (
    ("night shift", "daytime daylight office"),
    ("planned scheduled", "unplanned unintended involuntary habitual spontaneous dozed dozing"),
    ("children", "adults elderly"),
)

GENERIC_TEXT: Final = """
    people person persons participants patients subjects population measured measure measurement compared
    compare reported report results result assessed evaluated tested group groups outcome trial trials described data
    own case cases effect effects found related relation different difference set line lines kind type"""
"""Words that nearly every record has: a criterion is not about them."""

GENERIC: Final = stems(GENERIC_TEXT)


def _rings() -> dict[str, frozenset[str]]:
    rings: dict[str, frozenset[str]] = {}
    for line in SYNONYMS_TEXT.strip().splitlines():
        ring = stems(line)
        for stem in ring:
            rings[stem] = rings.get(stem, frozenset()) | ring
    return rings


_RINGS: Final = _rings()
_OPPOSITES: Final = {stem: stems(against) for words, against in OPPOSITES_TEXT for stem in stems(words)}


def ring(stem: str) -> frozenset[str]:
    """The stem and those that stand for it."""
    return _RINGS.get(stem, frozenset((stem,)))


def opposites(words: frozenset[str]) -> frozenset[str]:
    return frozenset().union(*(_OPPOSITES.get(word, frozenset()) for word in words))
