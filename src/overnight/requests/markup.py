"""Entities and inline tags in titles and abstracts, and the words they stand for.

Exports hold HTML (`H<sub>2</sub>O`, `p &lt; 0.05`), JATS (`<jats:p>`), MathML, and all of these escaped once more
(`&amp;lt;`). A tag is taken for one only where it cannot be anything else: a name of these vocabularies, and both its
beginning and its end in the text (or `<br/>`, or a prefix). `p < 0.05 and x > 3` and `if a<b then` stay as they are.
"""

import re
from collections.abc import Callable, Sequence
from html import unescape
from html.entities import html5
from typing import Final

from overnight.core.raised import raised

Edit = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]
"""A pattern, and what each of its matches becomes."""

_ENTITY: Final = re.compile(
    r"&(?:(?:amp|AMP|#0{0,4}38|#[xX]0{0,4}26);)*(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
)

_ATTRIBUTE: Final = r"""[\w:.-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=`]+)"""
_END: Final = rf"(?:\s+{_ATTRIBUTE})*\s*/?>"
_BLOCKS: Final = (
    "p|br|hr|div|h[1-6]|[uod]l|li|d[td]|sec|section|title|label|abstract|abstracttext|table|tr|t[dh]|list|list-item"
    "|disp-formula"
)
_INLINES: Final = (
    "su[bp]|inf|[abiu]|em|strong|italic|bold|sc|small|span|font|underline|monospace|inline-formula|tex-math|xref"
    "|ext-link|named-content|alternatives"
)
_MATHS: Final = (
    "math|semantics|annotation|m(?:row|i|n|o|text|space|sup|sub|subsup|frac|sqrt|root|over|under|underover|style"
    "|fenced|table|tr|td|multiscripts|prescripts|padded|phantom|stack|enclose)"
)
_TAG: Final = re.compile(
    rf"<(?P<end>/?)(?P<prefix>(?:jats|mml):)?"
    rf"(?P<name>(?(prefix)[a-z][\w-]*|(?:{_BLOCKS}|{_INLINES}|{_MATHS})))(?:\s+{_ATTRIBUTE})*\s*(?P<void>/?)>",
    re.IGNORECASE,
)
_TAG_START: Final = re.compile(r"</?[A-Za-z][\w:-]*[\s/>]")
_ONE: Final = rf"</?(?:(?:jats|mml):[a-z][\w-]*|{_BLOCKS}|{_INLINES}|{_MATHS}){_END}"
_RUN: Final = re.compile(rf"{_ONE}(?:\s*{_ONE})*", re.IGNORECASE)
_BLOCK: Final = re.compile(_BLOCKS, re.IGNORECASE)
_MATH: Final = re.compile(_MATHS, re.IGNORECASE)
_VOID: Final = frozenset({"br", "hr"})

_INNER: Final = r"</?(?:jats:)?(?:[biu]|em|strong|italic|bold|sc)>"
_RAISED: Final = re.compile(
    rf"<(?:jats:)?(?P<kind>su[bp]|inf)(?:\s+{_ATTRIBUTE})*\s*>(?P<words>(?:[^<>]|{_INNER}){{0,80}})"
    r"</(?:jats:)?(?P=kind)\s*>",
    re.IGNORECASE,
)
_INNER_TAG: Final = re.compile(_INNER, re.IGNORECASE)


def holds_markup(text: str) -> bool:
    """Whether there is anything here that may be an entity or a tag: a quick look."""
    return ("&" in text and _ENTITY.search(text) is not None) or (
        "<" in text and ">" in text and _TAG_START.search(text) is not None
    )


def _entities(text: str) -> Edit | None:
    return (_ENTITY, _character) if "&" in text else None


def _character(match: re.Match[str]) -> str:
    """What it stands for, however often its ampersand was escaped. A name that HTML does not know stays."""
    name = match[1]
    if name[0] == "#":
        return unescape(f"&{name};")
    return html5.get(f"{name};", f"&{name};")


def _raised(text: str) -> Edit | None:
    return (_RAISED, _superscript) if "<" in text else None


def _superscript(match: re.Match[str]) -> str:
    """`10<sup>6</sup>` is a million and not 106: Unicode's small figures, else a `^` between two numbers."""
    above = match["kind"].lower() == "sup"
    words = _INNER_TAG.sub("", match["words"]).strip()
    return raised(words, match.string[match.start() - 1 : match.start()], above=above)


def _tags(text: str) -> Edit | None:
    """Runs of neighbouring tags at once, so that `</p><p>` becomes one line break."""
    if "<" not in text:
        return None
    names: dict[str, set[str]] = {"": set(), "/": set()}
    for match in _TAG.finditer(text):
        names[match["end"]].add(match["name"].lower())
    both = names[""] & names["/"]

    def is_sure(tag: re.Match[str]) -> bool:
        return bool(tag["prefix"] or tag["void"]) or tag["name"].lower() in both | _VOID

    def words(run: re.Match[str]) -> str:
        tags = list(_TAG.finditer(run[0]))
        left = _TAG.sub(lambda tag: "" if is_sure(tag) else tag[0], run[0])
        if left.strip():
            return left
        before, after = run.string[run.start() - 1 : run.start()], run.string[run.end() : run.end() + 1]
        if any(_BLOCK.fullmatch(tag["name"]) for tag in tags):
            return "" if before in ("", "\n") or after in ("", "\n") else "\n"
        if not left and before.isdigit() and after.isdigit() and any(_MATH.fullmatch(tag["name"]) for tag in tags):
            return " "  # `<mn>10</mn><mn>6</mn>` is not 106
        return left

    return _RUN, words


MARKUP: Final[Sequence[Callable[[str], Edit | None]]] = (_entities, _raised, _tags)
"""In this order; each is given the text and says what to replace in it, if anything."""
