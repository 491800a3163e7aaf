"""Sentences and words, well enough to find which sentence speaks of what."""

import re
from functools import lru_cache
from itertools import pairwise
from typing import Final

# Begins with one set of characters, which is what the regex engine scans for fast; alternatives took ten times longer.
_SENTENCE_END: Final = re.compile(r"[.!?\n\u3002\uff01\uff1f][\"')\]]*\s*")
_ENDS_ALONE: Final = "\n\u3002\uff01\uff1f"
_WORD: Final = re.compile(r"[^\W_]+")
_STOP_TEXT: Final = """
    a about after all also an and another any are as at be been before being between both but by can could did do
    does during each else for from had has have her his how if in into is it its may more most much must of on one only
    or other our out over per shall should so some something such than that the their them then there these they this
    those through to under up upon use used using was we were what when where which while who whose will with would
    you your yes include exclude criterion criteria inclusion exclusion text record title abstract study studied"""
_STOP: Final = frozenset(_STOP_TEXT.split())
NEGATIONS_TEXT: Final = "no not without never neither nor none lack lacked lacking absence absent cannot"
NEGATIONS: Final = frozenset(NEGATIONS_TEXT.split())


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    """The beginning of a word, without its plainest endings; nothing for a word that says little."""
    if word in _STOP or (len(word) < 3 and word.isascii() and not word.isdigit()):
        return ""
    for ending in ("ings", "ing", "ies", "ied", "ed", "es", "s", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:7]


def sentence_stems(text: str) -> frozenset[str]:
    return frozenset(stem for word in _WORD.findall(text.lower()) if (stem := _stem(word)))


@lru_cache(maxsize=2_000)
def stems(text: str) -> frozenset[str]:
    """`sentence_stems` of what recurs: criteria, descriptions, labels."""
    return sentence_stems(text)


def negated(sentence: str) -> bool:
    return not NEGATIONS.isdisjoint(_WORD.findall(sentence.lower()))


def sentences(text: str) -> list[str]:
    """Verbatim pieces of the text: what a quote check looks for stands in it character by character."""
    marks = ((found.end(), found[0]) for found in _SENTENCE_END.finditer(text))
    ends = [0, *(end for end, mark in marks if mark[-1].isspace() or mark[0] in _ENDS_ALONE), len(text)]
    return [piece for first, end in pairwise(ends) if (piece := text[first:end].strip())]
