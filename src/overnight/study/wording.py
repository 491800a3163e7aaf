"""The package's own prompts: text files in study/texts/, each known by the digest of its words.

A study pins whole recipes, these words among them (core/recipe.py): another version of a file changes nothing in a
study that began with the one before. A study may bring its own in place of `screen` and `adjudicate` (`prompts`); what
says where the record stands and that it is not to be obeyed (`untrusted`) is added to those too.
"""

import functools
from dataclasses import dataclass
from typing import Final, Literal

from overnight.core.identity import text_digest

Name = Literal["screen", "adjudicate", "framing_for", "framing_against", "untrusted"]
NAMES: Final[tuple[Name, ...]] = ("screen", "adjudicate", "framing_for", "framing_against", "untrusted")


@dataclass(frozen=True, slots=True)
class Wording:
    """text: without the line end it closes with. digest: 64 hex characters of it."""

    name: str
    text: str

    @property
    def digest(self) -> str:
        return text_digest(self.text)


@functools.cache
def wording(name: Name) -> Wording:
    """Line ends are plain, whatever a checkout made of them."""
    from importlib.resources import files

    text = files(__package__).joinpath("texts", f"{name}.txt").read_text("utf-8")
    return Wording(name, text.replace("\r\n", "\n").rstrip("\n"))
