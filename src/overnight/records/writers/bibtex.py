"""BibTeX: the person's own entry with our keywords and a field `overnight`, or one made of a record's columns.

`overnight` and not `note`, which styles print. What we added in an earlier run is replaced; the field says what it was.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from overnight.records.publications import first_author, year_of
from overnight.records.references.reference import SEPARATOR
from overnight.records.writers.citation import Citation
from overnight.records.writers.marks import Marks, keywords_of_note
from overnight.records.writers.ris import ris_type

FORMAT: Final = "bibtex"

_MARK: Final = re.compile(r"\\.|[{}\",]", re.DOTALL)
_PART: Final = re.compile(
    r"\s*([A-Za-z][\w:+.-]*)\s*=\s*(\{.*\}|\".*\"|\d+|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\s*",
    re.DOTALL | re.IGNORECASE,
)
_ESCAPES: Final = str.maketrans(
    {character: "\\" + character for character in "&%$#_"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "{": r"\lbrace{}", "}": r"\rbrace{}"}
)
_LIGATURES: Final = re.compile(r"-(?=-)|`(?=`)|'(?=')")
"""What LaTeX would print as one sign: a dash, a quotation mark."""
_AND: Final = re.compile(r"(?:\A|\s)and(?:\s|\Z)", re.IGNORECASE)
_KINDS: Final = {
    "JOUR": "article",
    "BOOK": "book",
    "CHAP": "incollection",
    "CPAPER": "inproceedings",
    "THES": "phdthesis",
    "RPRT": "techreport",
    "UNPB": "unpublished",
}
_AS_WRITTEN: Final = frozenset({"doi", "url", "pmid", "pmcid"})


def escaped(text: str) -> str:
    """LaTeX for a text of one line; its braces always close."""
    return _LIGATURES.sub(r"\g<0>{}", text.translate(_ESCAPES))


class BibWriter:
    """Writes entries of one file: no two have one key."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def __call__(self, raw: str, format_: str, citation: Citation | None, marks: Marks | None) -> str:
        assert citation is not None, "every entry may have to be made anew"
        own = _own_parts(raw) if format_ == FORMAT and raw else None
        if own is None:
            return self._made(citation, marks)
        head, parts, tail = own
        key = self._unique(parts[0].strip() or _key_of(citation))
        if key != parts[0].strip():
            parts[0] = key
        return head + ",".join(parts if marks is None else _annotated(parts, marks)) + tail + "\n\n"

    def _made(self, citation: Citation, marks: Marks | None) -> str:
        kind = _KINDS.get(ris_type(citation), "misc")
        fields = {
            "title": citation.first("title"),
            "author": " and ".join(f"{{{a}}}" if _AND.search(a) else a for a in map(escaped, citation.all("authors"))),
            "year": citation.first("year"),
            "booktitle" if kind in {"incollection", "inproceedings"} else "journal": citation.first("journal"),
            "volume": citation.first("volume"),
            "number": citation.first("issue"),
            "pages": citation.first("pages"),
            "doi": citation.first("doi"),
            "pmid": citation.first("pmid"),
            "pmcid": citation.first("pmcid"),
            "issn": ", ".join(citation.all("issn")),
            "language": SEPARATOR.join(citation.all("language")),
            "url": SEPARATOR.join(citation.all("url")),
            "accession_number": citation.first("accession_number"),
            "database": SEPARATOR.join(citation.all("database")),
            "abstract": citation.first("abstract"),
            "keywords": _listed([*citation.all("keywords"), *_words(marks.keywords if marks else ())]),
            "annote": citation.notes,
            "overnight": marks.note if marks else "",
        }
        lines = [f"  {name} = {{{_value(name, text)}}}" for name, text in fields.items() if text]
        key = self._unique(_key_of(citation))
        return f"@{kind}{{{key},\n" + ",\n".join(lines) + "\n}\n\n"

    def _unique(self, wanted: str) -> str:
        """The key without what a key cannot hold; the second of one name gets `-2`."""
        key = base = re.sub(r"[\s,{}()=\"#%\\~@]+", "-", wanted).strip("-") or "record"
        n = 1
        while key.casefold() in self._used:
            n += 1
            key = f"{base}-{n}"
        self._used.add(key.casefold())
        return key


def _key_of(citation: Citation) -> str:
    """The person's own key or id; else made as people make them, `aster2021planned`, of ASCII letters and digits."""
    if own := citation.first("citation_key") or citation.own_id:
        return own
    author = first_author("; ".join(citation.all("authors")[:1]))
    year = str(year_of(citation.first("year")) or "")
    words = re.findall("[a-z0-9]+", _ascii(re.sub("</?[a-zA-Z][^<>]*>", "", citation.first("title"))))
    word = next((word for word in words if len(word) >= _TELLING_CHARS), words[0] if words else "")
    return f"{_ascii(author)}{year}{word[:_MOST_WORD_CHARS]}"


_TELLING_CHARS: Final = 4
"""A shorter first word of a title is `The`, `An`, `Of`."""
_MOST_WORD_CHARS: Final = 30


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


def _value(name: str, text: str) -> str:
    if name == "author":
        return text
    return re.sub(r"[{}\\]", "", text) if name in _AS_WRITTEN else escaped(text)


def _words(keywords: Iterable[str]) -> list[str]:
    """Ours, without what stands between keywords or may end their field."""
    plain = (re.sub("[,;]", " ", keyword).replace('"', "'") for keyword in keywords)
    return [" ".join(words) for keyword in plain if (words := keyword.split())]


def _listed(keywords: Sequence[str]) -> str:
    """With commas, as JabRef and BibLaTeX have them; with semicolons where one holds a comma."""
    return (SEPARATOR if any("," in keyword for keyword in keywords) else ", ").join(keywords)


def _own_parts(raw: str) -> tuple[str, list[str], str] | None:
    """(up to the key, what stands between the commas outside braces, from the closing brace on).

    None where a field uses an abbreviation that the entry alone does not explain, or is written in a way that we could
    not add to.
    """
    text = raw.rstrip()
    opening = re.search(r"[{(]", text)
    if opening is None or text[-1] not in "})":
        return None
    begin, end = opening.end(), len(text) - 1
    parts, depth, quoted, start = [], 0, False, begin
    for mark in _MARK.finditer(text, begin, end):
        if mark[0] in "{}":
            depth += 1 if mark[0] == "{" else -1
        elif mark[0] == '"' and not depth:
            quoted = not quoted
        elif mark[0] == "," and not depth and not quoted:
            parts.append(text[start : mark.start()])
            start = mark.end()
    parts.append(text[start:end])
    fields = [part for part in parts[1:] if part.strip()]
    if depth or quoted or any(_PART.fullmatch(field) is None for field in fields):
        return None
    return text[:begin], parts, text[end:]


def _annotated(parts: list[str], marks: Marks) -> list[str]:
    """The same parts in their order; ours at the end."""
    found = [(match[1].lower(), match) for part in parts[1:] if (match := _PART.fullmatch(part))]
    notes = [keywords_of_note(_inside(match)) for name, match in found if name == "overnight"]
    before = _words(word for keywords in notes for word in keywords or ())
    ending = parts[-1][len(parts[-1].rstrip()) :] or "\n"
    kept, merged = [parts[0]], False
    for part in parts[1:]:
        match = _PART.fullmatch(part)
        if match is None or (match[1].lower() == "overnight" and keywords_of_note(_inside(match)) is not None):
            continue
        if match[1].lower() == "keywords" and not merged and match[2][0] in '{"':
            part, merged = _merged(part, match, before, marks), True
        if part:
            kept.append(part)
    words = _words(map(_in_braces, marks.keywords))
    added = [] if merged or not words else [f"\n  keywords = {{{', '.join(words)}}}"]
    kept[-1] = kept[-1].rstrip()
    return [*kept, *added, f"\n  overnight = {{{_in_braces(marks.note)}}}{ending}"]


def _inside(match: re.Match[str]) -> str:
    return match[2][1:-1] if match[2][0] in '{"' else match[2]


def _in_braces(text: str) -> str:
    """As it stands but for braces and backslashes: short words that a program shows and nobody prints."""
    return text.replace("{", "(").replace("}", ")").replace("\\", "/")


_SEMICOLONS: Final = re.compile(r"(?<!&amp);\s|\A[^,]*;[^,]*\Z")


def _merged(part: str, match: re.Match[str], before: Sequence[str], marks: Marks) -> str:
    """The keywords field with ours in the place of those from before; empty where nothing is left of it."""
    inside, ours = _inside(match), list(before)
    pieces = re.split("([,;])", inside)
    words = list(zip(["", *pieces[1::2]], pieces[::2], strict=True))
    for place in reversed(range(len(words))):  # ours stand behind a person's own of the same words
        if (word := words[place][1].strip()) in ours:
            ours.remove(word)
            del words[place]
    own = "".join([word for _, word in words[:1]] + [sign + word for sign, word in words[1:]])
    between = "; " if _SEMICOLONS.search(inside) else ", "
    text = between.join([*([own] if own.strip() else []), *_words(map(_in_braces, marks.keywords))])
    begin, end = match.span(2)
    return part[: begin + 1] + text + part[end - 1 :] if text or not inside.strip() else ""
