"""Recipe: everything that shapes a request besides the record's text.

A recipe is complete data: the prompt's words, not a reference to code that makes them. So the ledger can keep the
recipe a study began with, and a later version of the package sends exactly that until asked for the new one.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, Literal

from overnight.core.identity import text_digest

RENDERER: Final = 1
"""Version of the line's shape (requests/render.py)."""
CLEANING: Final = 1
"""Version of what is done to a cell before the model sees it, where a recipe names no other (requests/cleaning.py)."""


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a prompt: literal words, or a slot that a column's text fills."""

    kind: Literal["text", "slot"]
    value: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a stage asks of each record.

    system: the system instruction, empty for none. prompt: the user turn, instructions first, record last.
    schema: the answer's schema in the dialect `responseSchema` takes (JSON-like values). thinking: the inside of
    `thinkingConfig` (camelCase), empty to leave it to the model. own: digest of what the *user* wrote that went into
    this recipe; when it is unchanged, a pinned recipe stays in force although the package's words changed. silence: of
    a `screen`, what silence on each criterion counts as where it is asked whether samples are contested. Neither of
    the last two reaches the model, nor the digest.
    """

    stage: str
    system: str
    prompt: tuple[Part, ...]
    schema: dict[str, Any]
    thinking: dict[str, Any]
    own: str
    renderer: int = RENDERER
    cleaning: int = CLEANING
    silence: dict[str, str] = field(default_factory=dict)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", _digest(self))

    @property
    def slots(self) -> tuple[str, ...]:
        """Columns whose text goes in, in the order in which they first appear."""
        return tuple(dict.fromkeys(part.value for part in self.prompt if part.kind == "slot"))


def _digest(recipe: Recipe) -> str:
    """64 hex characters over hex digests of the parts; JSON-like parts are flattened to `path=value` lines first.

    Each of those lines is hashed too, so that no line break in a description makes two schemas alike. A slot goes in by
    its number: the model never sees the column's name, so renaming a column asks nothing again.
    """
    slots = {name: f"slot:{number}" for number, name in enumerate(recipe.slots)}
    parts = [text_digest(recipe.system)]
    parts += [slots[part.value] if part.kind == "slot" else f"text:{text_digest(part.value)}" for part in recipe.prompt]
    parts += [text_digest("\n".join(map(text_digest, flat(value)))) for value in (recipe.schema, recipe.thinking)]
    parts += [str(recipe.renderer), str(recipe.cleaning)]
    return sha256("\n".join(parts).encode()).hexdigest()


def flat(value: object, path: str = "$") -> list[str]:
    """`path=value` lines of a JSON-like value, in the order given: the order of properties shapes an answer."""
    if isinstance(value, dict):
        return [f"{path}{{}}", *(line for key, inner in value.items() for line in flat(inner, f"{path}.{key}"))]
    if isinstance(value, list | tuple):
        return [f"{path}[]", *(line for i, inner in enumerate(value) for line in flat(inner, f"{path}[{i}]"))]
    return [f"{path}={type(value).__name__}:{value}"]
