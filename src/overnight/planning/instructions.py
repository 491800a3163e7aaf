"""Which words a study's stages are asked with, and whose: the package's, the study's own, an earlier version's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from overnight.core.identity import text_digest
from overnight.core.recipe import Recipe
from overnight.study.models import ScreenSpec, Study
from overnight.study.screen_recipes import ADJUDICATE, ARGUMENTS, SCREEN
from overnight.study.wording import Name, wording

SHOWN_DIGITS: Final = 12
"""Of a digest, for people."""

Whose = Literal["package", "study", "before"]
"""before: words that this version has not: the study began with them (or they are of another study's file)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One text of an instruction. name: of the package's file; of the study's own, the key that it stands in for."""

    name: str
    whose: Whose
    digest: str

    @property
    def short(self) -> str:
        return self.digest[:SHOWN_DIGITS]


@dataclass(frozen=True, slots=True)
class Instruction:
    """What one stage is told. message: the user turn, with a placeholder such as `<abstract>` where a text goes in."""

    stage: str
    system: str
    pieces: tuple[Piece, ...]
    message: str


def instructions(study: Study, recipes: Iterable[Recipe]) -> list[Instruction]:
    """Each instruction once, though samples share it; the message is the first sample's."""
    found: dict[tuple[str, str], Instruction] = {}
    for recipe in recipes:
        if (recipe.stage, recipe.system) not in found:
            pieces = tuple(_pieces(study, recipe)) if recipe.system else ()
            found[recipe.stage, recipe.system] = Instruction(recipe.stage, recipe.system, pieces, message_of(recipe))
    return list(found.values())


def message_of(recipe: Recipe) -> str:
    return "".join(part.value if part.kind == "text" else _placeholder(part.value) for part in recipe.prompt)


def _placeholder(slot: str) -> str:
    return "<arguments>" if slot == ARGUMENTS else f"<{slot}>"


def _pieces(study: Study, recipe: Recipe) -> Iterator[Piece]:
    task, rest = study.task, recipe.system
    if not isinstance(task, ScreenSpec):
        yield Piece("system", "study", text_digest(rest))
        return
    behind: list[Piece] = []
    names: tuple[Name, ...] = ("untrusted", "framing_for", "framing_against")
    for name in names:
        end = f"\n\n{wording(name).text}"
        if rest.endswith(end):
            rest = rest.removesuffix(end)
            behind.insert(0, Piece(name, "package", wording(name).digest))
    yield Piece(recipe.stage, _whose(task, recipe.stage, rest), text_digest(rest))
    yield from behind


def _whose(task: ScreenSpec, stage: str, words: str) -> Whose:
    own = {SCREEN: task.prompts.screen, ADJUDICATE: task.prompts.adjudicate}[stage].strip()
    if own and words == own:
        return "study"
    package: dict[str, Name] = {SCREEN: "screen", ADJUDICATE: "adjudicate"}
    return "package" if words == wording(package[stage]).text else "before"
