"""Kinds of fictional study: what is true of each, and the sentence patterns that say it. Read from texts/*.toml.

A criterion's verdict stands in the table as `met: who` or `not_met: what`: the verdict, and the section *every* pattern
of which shows it, so that the truth about an abstract is known by construction and can be quoted. `not_stated` names no
section: nothing in the kind's texts speaks of it.

A line may begin with tags: `@cross One night they …`. The line drawn for section `what` sets the tags of the abstract
(a crossover, two groups, one topic of several), and a line with tags is used only where the abstract has all of them.
"""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

INCLUDE: Final = ("night_shift", "planned_nap", "measures_alertness")
EXCLUDE: Final = ("no_own_data", "not_human")
CRITERIA: Final = INCLUDE + EXCLUDE
SILENT_MEANS: Final = {"planned_nap": "not_met", "no_own_data": "not_met", "not_human": "not_met"}
"""What not_stated counts as where it is not unclear: `if_silent` in study.yaml, and its default for exclusions."""

SECTIONS: Final = ("background", "aim", "who", "what", "measured", "method", "results", "conclusion")
FILES: Final = (
    "naps",
    "near_naps",
    "without_data",
    "night_work",
    "day_and_patients",
    "children_and_teaching",
    "animals",
    "other",
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A line of texts/*.toml: what it says, and the tags an abstract must have for it."""

    text: str
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of study.

    share: how many of about 1,300. shown: criterion -> the section that shows its verdict. patterns: section -> what
    this kind says; `results_better` and `results_none` hold what fits one finding only. shared: section -> what many
    kinds may say. words: slot -> what may fill it. brief: one sentence a section. plain: never under section labels.
    joint: what stands between sentences.
    """

    name: str
    note: str
    share: int
    verdicts: Mapping[str, str]
    shown: Mapping[str, str]
    patterns: Mapping[str, tuple[Pattern, ...]]
    shared: Mapping[str, tuple[Pattern, ...]]
    words: Mapping[str, tuple[str, ...]]
    brief: bool
    plain: bool
    joint: str

    @property
    def decision(self) -> str:
        return decide(self.verdicts)


def decide(verdicts: Mapping[str, str]) -> str:
    """include, exclude or unclear: the rule of the screening page, written a second time on purpose.

    Exclude when an exclusion is met or an inclusion is not; include when all inclusions are met; else unclear.
    """
    heard = {
        criterion: SILENT_MEANS.get(criterion, "unclear") if verdict == "not_stated" else verdict
        for criterion, verdict in verdicts.items()
    }
    if any(heard[c] == "met" for c in EXCLUDE) or any(heard[c] == "not_met" for c in INCLUDE):
        return "exclude"
    return "include" if all(heard[c] == "met" for c in INCLUDE) else "unclear"


@functools.cache
def all_kinds() -> tuple[Kind, ...]:
    """Every kind, in the order of the files and of the tables in them."""
    shared = _read("shared")
    words = {name: tuple(options) for name, options in _read("words").items()}
    return tuple(_kind(name, table, shared, words) for file in FILES for name, table in _read(file).items())


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("overnight.demo").joinpath("texts", f"{name}.toml").read_text("utf-8"))


def _kind(name: str, table: Mapping[str, Any], shared: Mapping[str, Any], words: dict[str, tuple[str, ...]]) -> Kind:
    said = {criterion: table.get(criterion, "not_met") for criterion in CRITERIA}
    pairs = {criterion: verdict.partition(": ") for criterion, verdict in said.items()}
    own = {key: _lines(text) for key, text in table.items() if key.split("_")[0] in ("title", *SECTIONS)}
    patterns = {key: lines for key, lines in own.items() if key not in CRITERIA}
    common: dict[str, tuple[Pattern, ...]] = {}
    for pool in table.get("shared", ()):
        for section, text in shared[pool].items():
            common[section] = common.get(section, ()) + _lines(text)
    return Kind(
        name=name,
        note=table["note"],
        share=table["share"],
        verdicts={criterion: verdict for criterion, (verdict, _, _) in pairs.items()},
        shown={criterion: section for criterion, (_, _, section) in pairs.items() if section},
        patterns=patterns,
        shared=common,
        words=words | {key: tuple(options) for key, options in table.get("words", {}).items()},
        brief=table.get("brief", False),
        plain=table.get("plain", False),
        joint=table.get("joint", " "),
    )


def _lines(text: str) -> tuple[Pattern, ...]:
    return tuple(_pattern(line) for line in text.splitlines() if line.strip())


def _pattern(line: str) -> Pattern:
    tags: set[str] = set()
    while line.startswith("@"):
        tag, _, line = line[1:].partition(" ")
        tags.add(tag)
    return Pattern(line, frozenset(tags))
