"""LaTeX in the values of a BibTeX file, as plain text: accents, symbols, protecting braces, fonts, dashes, quotes.

No word is ever lost: a command that is not known stays as it is written, and so does mathematics. What LaTeX would
leave out (all after a `%`, unknown commands) stays too, since most of these texts were never meant for LaTeX. What a
command stands for is pylatexenc's knowledge; its own conversion of whole texts drops comments and unknown commands.
"""

import re
from functools import cache
from typing import Final

_MARKS: Final = re.compile(r"[\\{}~]|--|``")

_MATH: Final = re.compile(r"((?<!\\)\$[^$\n]{1,200}(?<!\\)\$|\\\([^\n]{1,200}?\\\))")
_ONE_SYMBOL: Final = re.compile(r"\$\s*\\([A-Za-z]+)\s*\$")

_LETTER: Final = r"\{\s*(?:\\[ij]|[^\W\d_])?\s*\}|\\[ij](?![A-Za-z])"
_LATEX: Final = re.compile(
    rf"""(?=[\\{{}}~`-]) (?:
      (?P<accent> \\["'`^~=.] \s* (?:{_LETTER}|[^\W\d_]) | \\[uvHcdbrk] (?:\s*(?:{_LETTER}) | \s+[^\W\d_]) )
    | \\(?:emph|text(?:it|bf|sc|rm|sf|tt|up|sl|md|normal|superscript|subscript)
        |mbox|text|url|enquote|mkbibemph|path) (?P<font> \s*(?=\{{) )
    | \\(?:em|it|bf|sl|sc|rm|tt|sf|itshape|bfseries|scshape) (?P<switch> (?![A-Za-z])\s* )
    | \{{\\(?P<group> [A-Za-z]+ )\s*\}}
    | \\(?P<word> [A-Za-z]+ ) (?P<after> (?:\{{[^{{}}]*\}})+ | \s* )
    | \\(?P<sign> [%&$\#_{{}}] )
    | (?P<space> \\\\\*? | \\[ ,;:>] | (?<=[\w.,)}}])~(?=[\w\\{{(]) )
    | (?P<nothing> \\[-/!@] | [{{}}] )
    | (?P<dash> ---? | `` ))""",
    re.VERBOSE,
)
_FOR_ONE: Final = {"---": "—", "--": "–", "``": "“"}


def plain_text(value: str) -> str:
    """A BibTeX value without its delimiters as a reader of the printed page would see it."""
    if not _MARKS.search(value):
        return value
    text = "".join(
        _math(piece) if i % 2 else _LATEX.sub(_replaced, piece) for i, piece in enumerate(_MATH.split(value))
    )
    return text.replace("''", "”") if "``" in value else text


def _math(piece: str) -> str:
    """One symbol, such as $\\beta$, as its character; anything more stays: models read it, and so do people."""
    symbol = _ONE_SYMBOL.fullmatch(piece)
    return (_character(symbol[1]) if symbol else "") or piece


def _replaced(match: re.Match[str]) -> str:
    if match[0] in "{}":
        return ""
    groups = match.groupdict()
    kind = match.lastgroup or ""
    if groups["accent"]:
        return _accented(match[0])
    if groups["group"]:
        return _character(groups["group"]) or match[0]
    if groups["word"]:
        character = _character(groups["word"])
        return character + groups["after"].strip().strip("{}") if character else match[0]
    if kind == "sign":
        return groups["sign"]
    return " " if kind == "space" else _FOR_ONE.get(match[0], "")


@cache
def _accented(command: str) -> str:
    """`\\'{e}` → é. The set of them is small: an accent and a letter."""
    import unicodedata

    from pylatexenc.latex2text import LatexNodes2Text

    return unicodedata.normalize("NFC", str(LatexNodes2Text().latex_to_text(command)).strip()) or command


@cache
def _character(name: str) -> str:
    """The one character that `\\name` stands for; empty where it is no symbol."""
    from pylatexenc.latex2text import get_default_latex_context_db

    spec = get_default_latex_context_db().get_macro_spec(name)
    character = getattr(spec, "simplify_repl", None)
    return character if isinstance(character, str) and len(character) == 1 and not character.isspace() else ""
