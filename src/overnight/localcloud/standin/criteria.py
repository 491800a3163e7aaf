"""Verdicts: does the text say what a criterion asks for, and where."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from overnight.localcloud.standin.prompt import Prompt
from overnight.localcloud.standin.words import negated, sentence_stems, stems

_STRONG: Final = 0.5  # this part of a criterion's words in one sentence, and two of them, is taken as said
_WEAK: Final = 0.25
_ALTERED_QUOTES: Final = 0.02  # so that whoever checks quotes has something to find
_FALLBACK: Final = ("met", "not_met", "not_stated", "unclear")


@lru_cache(maxsize=1024)
def criterion_words(name: str, description: str, frame: str) -> frozenset[str]:
    return stems(criterion_text(name, description, frame))


def criterion_text(name: str, description: str, frame: str) -> str:
    """What the instructions say about the criterion `name`: the lines that name it, its description, else its name."""
    pattern = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    lines = [pattern.sub(" ", line) for line in frame.splitlines() if pattern.search(line)]
    text = " ".join([*lines, description]).strip()
    return text if stems(text) else name.replace("_", " ")


def judge(name: str, description: str, prompt: Prompt, verdicts: list[str]) -> dict[str, str]:
    """verdict, quote and reason; verdicts: the labels the schema allows, empty for the usual four."""
    words = criterion_words(name, description, prompt.frame)
    sentence, shared = prompt.best_sentence(words)
    ratio = shared / len(words) if words else 0.0
    verdict = _verdict(name, prompt, sentence, shared, ratio)
    if verdicts and verdict not in verdicts:
        verdict = verdicts[int(prompt.chance(f"{name} label") * len(verdicts))]
    if verdict == "not_stated":
        return {"verdict": verdict, "quote": "", "reason": "No sentence speaks of this."}
    common = sorted(words.intersection(sentence_stems(sentence)))[:3]
    about = ", ".join(common) if common else "nothing in particular"
    kind = {"met": "says so", "not_met": "says the opposite"}.get(verdict, "leaves it open")
    return {"verdict": verdict, "quote": _quote(name, prompt, sentence), "reason": f"This sentence {kind} ({about})."}


def _verdict(name: str, prompt: Prompt, sentence: str, shared: int, ratio: float) -> str:
    if ratio >= _STRONG and shared >= 2:
        return "not_met" if negated(sentence) else "met"
    if ratio < _WEAK or not shared:
        return "not_stated"
    luck = prompt.chance(f"{name} verdict")
    if luck < 0.35:
        return "not_met" if negated(sentence) else "met"
    return "unclear" if luck < 0.55 else "not_stated"


def _quote(name: str, prompt: Prompt, sentence: str) -> str:
    if prompt.chance(f"{name} quote") >= _ALTERED_QUOTES:
        return sentence
    words = sentence.split()
    middle = len(words) // 2
    return " ".join([*words[:middle], "reportedly", *words[middle + 1 :]])


def is_verdict(properties: Mapping[str, object]) -> bool:
    return "verdict" in properties and "quote" in properties
