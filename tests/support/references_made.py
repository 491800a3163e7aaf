"""Fictional references, and the same as files in tagged formats with every oddity that exports have.

A seed makes the same file each time. Each writer gives the bytes and, a record, what a reader has to find in it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

Found = dict[str, object]

WORDS = (
    *("nap", "nurses", "night", "ward", "sleep", "trial", "of", "the", "in", "IL-6", "CT", "ER+", "TY-3", "AB:", "-"),
    *(
        "p",
        "<",
        "0.05",
        "(n=12)",
        "“quoted”",
        "µg",
        "Wärter",
        "PT",
        "J",
        "EF",
        "%",
        "5%",
        "%T",
        "TI",
        "12.",
        "{a}",
        "@x",
    ),
)
BEYOND = ("夜勤", "😴", "β-blocker", "Łódź", "\u00a0x", "x\u200by", "\u2028z")
STRAY = ("Record #3 of 18", "5.", "<12>", "Provider: Made Up, Ltd.", "saved by Ada", " \t ", "\x1a", "- - -")
CODECS = ("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252")


@dataclass(frozen=True, slots=True)
class Made:
    """abstract: its lines, where an empty one is a blank line between two. pages: begin and end."""

    title: str
    abstract: tuple[str, ...]
    authors: tuple[str, ...]
    year: str
    journal: str
    volume: str
    pages: tuple[str, str]
    doi: str
    keywords: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class File:
    """content: its bytes. found: what its records hold, by column. starts: the line each begins on."""

    content: bytes
    found: list[Found]
    starts: list[int] = field(default_factory=list)


def made(random: Random, beyond: bool) -> Made:
    """beyond: with characters that Windows-1252 has not."""

    def text(n: int) -> str:
        words = [random.choice(WORDS + BEYOND if beyond else WORDS).strip() for _ in range(random.randint(1, n))]
        return " ".join(["Made", *words, "up"])

    def some(n: int, one: Callable[[], str]) -> tuple[str, ...]:
        return tuple(one() for _ in range(random.randint(0, n)))

    lines: list[str] = []
    for line in some(4, lambda: text(12)):
        lines += [""] * random.choice((0, 0, 1, 2)) if lines else []
        lines.append(line)
    return Made(
        title=text(9) if random.random() < 0.9 else "",
        abstract=tuple(lines),
        authors=some(4, lambda: random.choice(("Lind, Ada", "Moreau, B.", "von Wärter, C", "O'Nap, D-E"))),
        year=random.choice(("", "1987", "2019", "2026")),
        journal=random.choice(("", "Journal of Made Sleep", "Sleep")),
        volume=random.choice(("", "3", "S12")),
        pages=random.choice((("", ""), ("10", ""), ("10", "19"))),
        doi=random.choice(("", f"10.5555/{random.randrange(10**6)}")),
        keywords=some(4, lambda: random.choice(("nap", "night work", "IL-6", "Adult"))),
        notes=some(2, lambda: "Note: " + text(5)),
    )


def found_in(record: Made, kind: str) -> Found:
    """The columns a reader finds, without those of one format only."""
    whole = {
        "title": record.title,
        "abstract": "\n".join(record.abstract),
        "authors": "; ".join(record.authors),
        "year": record.year,
        "journal": record.journal,
        "volume": record.volume,
        "pages": "-".join(page for page in record.pages if page),
        "doi": record.doi,
        "keywords": "; ".join(record.keywords),
        "type": kind,
    }
    return {name: value for name, value in whole.items() if value}


def wrapped(random: Random, text: str, may_begin: Callable[[str], bool]) -> list[str]:
    """A text broken over lines at blanks, only where the rest may begin a line."""
    words, lines = text.split(" "), [""]
    for i, word in enumerate(words):
        rest = " ".join(words[i:])
        if i and random.random() < 0.2 and may_begin(rest) and may_begin(word):
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


def finished(random: Random, lines: list[str], found: list[Found], starts: list[int], codec: str) -> File:
    end = random.choice(("\n", "\n", "\r\n", "\r"))
    text = end.join(lines) + random.choice(("", end, end * 3))
    return File(text.encode(codec), found, starts)


_TAG_LIKE = re.compile(r"\s*[A-Za-z][A-Za-z0-9]\s*[-–—]")
_BOUND_LIKE = re.compile(r"\s*(ER\s*-\s*$|TY\s*-\s*[A-Za-z]{3,12}\s*$|\d+\.$|<\d+>$|Record #)", re.IGNORECASE)
SEPARATORS = ("  - ", "  - ", "  - ", "  -", " - ", "-", "- ", "\t- ", "  -\t", " – ", "   - ")


def ris_file(seed: int) -> File:
    random = Random(seed)
    codec = random.choice(CODECS)
    lines: list[str] = random.choice(([], ["", ""], ["Made by a test", ""]))[:]
    file = File(b"", [])
    ended = False
    n = random.randint(1, 5)
    for i in range(n):
        record = made(random, beyond=codec != "cp1252")
        separator = random.choice(SEPARATORS) if i else random.choice(SEPARATORS[:4])
        typed = not ended or random.random() < 0.9
        lower = not separator.startswith("  -") and random.random() < 0.3
        body, extra = _ris_body(random, record, separator)
        if not body and not typed:
            typed = True
        head, tail = _tag(separator, "TY", "JOUR"), _tag(separator, "ER", "")
        if lower:
            body = [_lowered(line, separator) for line in body]
            head, tail = _lowered(head, separator), _lowered(tail, separator)
        file.starts.append(len(lines) + 1)
        if typed:
            lines.append(head)
        lines += body
        file.found.append(found_in(record, "JOUR" if typed else "") | extra)
        ended = random.random() < 0.85
        if ended:
            lines.append(random.choice((tail, tail.rstrip())))
            lines += random.choice(([], [""], ["", ""], [random.choice(STRAY)], ["", random.choice(STRAY), ""]))
        else:
            lines += [""] * random.randint(0, 2)
    return finished(random, lines, file.found, file.starts, codec)


def _tag(separator: str, tag: str, value: str) -> str:
    return tag + separator + value


def _lowered(line: str, separator: str) -> str:
    """Its tag in lower case, if it has one."""
    return line[:2].lower() + line[2:] if line[2:].startswith(separator.rstrip()) else line


def _ris_body(random: Random, record: Made, separator: str) -> tuple[list[str], Found]:
    usual = separator.startswith("  -")

    def may_begin(line: str) -> bool:
        return not _BOUND_LIKE.match(line) and (usual or not _TAG_LIKE.match(line))

    def put(tag: str, text: str) -> list[str]:
        head, *more = wrapped(random, text, may_begin)
        indent = random.choice(("", "", "   ", "\t"))
        return [_tag(separator, tag, head), *(indent + line for line in more)]

    fields: list[list[str]] = []
    other: dict[str, list[str]] = {}
    if record.title:
        fields.append(put(random.choice(("TI", "T1") if separator == "-" else ("TI", "T1", "CT")), record.title))
    if record.abstract:
        head, *more = record.abstract
        fields.append([_tag(separator, random.choice(("AB", "N2")), head), *more])
    tag = random.choice(("AU", "A1"))
    fields += [[_tag(separator, tag, author)] for author in record.authors]
    if record.year:
        tag = random.choice(("PY", "Y1", "DA"))
        date = random.choice(("", "/05/12/", "///", "/05//Summer"))
        fields.append([_tag(separator, tag, record.year + date)])
        if date:
            other[tag] = [record.year + date]
    if record.journal:
        fields.append(put(random.choice(("T2", "JF", "JO", "JA", "J2")), record.journal))
    if record.volume:
        fields.append([_tag(separator, "VL", record.volume)])
    fields += [[_tag(separator, tag, page)] for tag, page in zip(("SP", "EP"), record.pages, strict=True) if page]
    if record.doi:
        fields.append(_ris_doi(random, separator, record.doi, other))
    fields += _ris_keywords(random, separator, record.keywords, may_begin)
    for note in record.notes:
        fields.append([_tag(separator, "N1", note)])
        other.setdefault("N1", []).append(note)
    if usual and random.random() < 0.2:
        fields.append([_tag(separator, "Q7", "unknown")])
        other["Q7"] = ["unknown"]
    if random.random() < 0.2:
        fields.append([_tag(separator, "C1", "").rstrip()])
    _shuffled(random, fields)
    body = [line for lines in fields for line in lines]
    return body, {"other": other} if other else {}


def _ris_doi(random: Random, separator: str, doi: str, other: dict[str, list[str]]) -> list[str]:
    tag, before = random.choice((("DO", ""), ("DO", ""), ("L3", ""), ("L3", "https://doi.org/"), ("M3", "doi: ")))
    if tag != "DO":
        other[tag] = [before + doi]
    return [_tag(separator, tag, before + doi)]


def _ris_keywords(
    random: Random, separator: str, keywords: tuple[str, ...], may_begin: Callable[[str], bool]
) -> Iterator[list[str]]:
    """One a tag; all on one line; or one tag and a keyword a line, as EndNote does."""
    way = random.choice(("tags", "line", "lines"))
    if not keywords:
        return
    if way == "line":
        yield [_tag(separator, "KW", "; ".join(keywords))]
    elif way == "lines" and all(map(may_begin, keywords)):
        yield [_tag(separator, "KW", keywords[0]), *keywords[1:]]
    else:
        yield from ([_tag(separator, "KW", keyword)] for keyword in keywords)


def _shuffled(random: Random, fields: list[list[str]]) -> None:
    """In any order, but values of one tag in theirs."""
    order = list({lines[0][:2]: None for lines in fields})
    random.shuffle(order)
    fields.sort(key=lambda lines: order.index(lines[0][:2]))


def wos_file(seed: int) -> File:
    random = Random(seed)
    codec = random.choice(CODECS)
    lines = random.choice((["FN Clarivate Analytics Web of Science", "VR 1.0"], ["VR 1.0"], []))[:]
    file = File(b"", [])
    ended = False
    for i in range(random.randint(1, 5)):
        record = made(random, beyond=codec != "cp1252")
        body, other = _wos_body(random, record)
        typed = not ended or not body or random.random() < 0.9
        if i == 0 and not lines and not body:
            body = ["NR 0"]
            other["NR"] = ["0"]
        file.starts.append(len(lines) + 1)
        lines += (["PT J"] if typed else []) + body
        expected = found_in(record, "J" if typed else "")
        expected.pop("abstract", None)
        if record.abstract:
            expected["abstract"] = " ".join(line for line in record.abstract if line)
        file.found.append(expected | ({"other": other} if other else {}))
        ended = random.random() < 0.85
        if ended:
            lines += random.choice((["ER"], ["ER", ""], ["ER ", "", "saved by Ada"], ["ER", "EF", "FN Web of Science"]))
    return finished(random, lines + random.choice(([], ["EF"])), file.found, file.starts, codec)


def _wos_body(random: Random, record: Made) -> tuple[list[str], dict[str, list[str]]]:
    fields: list[list[str]] = []
    other: dict[str, list[str]] = {}

    def put(tag: str, values: list[str] | tuple[str, ...]) -> None:
        if values and any(values):
            fields.append([f"{tag} {values[0]}", *(f"   {value}" if value else "" for value in values[1:])])

    put("TI", wrapped(random, record.title, bool) if record.title else ())
    put("AB", record.abstract)
    put("AU", record.authors)
    put("AF", record.authors)
    if record.authors:
        other["AF"] = list(record.authors)
    put("PY", [record.year])
    put("SO", wrapped(random, record.journal, bool) if record.journal else ())
    put("VL", [record.volume])
    put("BP", [record.pages[0]])
    put("EP", [record.pages[1]])
    put("DI", [record.doi])
    put("DE", wrapped(random, "; ".join(record.keywords), bool) if record.keywords else ())
    put("CR", record.notes)
    if record.notes:
        other["CR"] = list(record.notes)
    random.shuffle(fields)
    return [line for lines in fields for line in lines], other


_REFER_TAG = re.compile(r"%[0-9A-Z@!](\s|$)")


def endnote_file(seed: int) -> File:
    """All records with %0, or none: plain refer, whose values hold no blank lines."""
    random = Random(seed)
    codec = random.choice(CODECS)
    typed = random.random() < 0.7
    lines: list[str] = ["", ""] if random.random() < 0.2 else []
    file = File(b"", [])
    for _ in range(random.randint(1, 5)):
        record = made(random, beyond=codec != "cp1252")
        head = ["%0 Book" if typed else "%9 made", "%# 1"]
        body = _endnote_body(random, record, typed)
        file.starts.append(len(lines) + 1)
        lines += head + body + [""] * random.randint(0 if typed else 1, 3)
        found = found_in(record, "Book" if typed else "")
        if record.abstract and not typed:
            found["abstract"] = "\n".join(line for line in record.abstract if line)
        other = {"%#": ["1"]} if typed else {"%9": ["made"], "%#": ["1"]}
        if record.notes:
            other["%Z"] = list(record.notes)
        file.found.append(found | {"other": other})
    return finished(random, lines, file.found, file.starts, codec)


def _endnote_body(random: Random, record: Made, typed: bool) -> list[str]:
    fields: list[list[str]] = []
    if record.title:
        head, *more = wrapped(random, record.title, lambda line: not _REFER_TAG.match(line))
        fields.append([f"%T {head}", *more])
    if record.abstract:
        head, *more = (line for line in record.abstract if line or typed)
        fields.append([f"%X {head}", *more])
    fields += [[f"%A {author}"] for author in record.authors]
    values = (("%D", record.year), (random.choice(("%J", "%B")), record.journal), ("%V", record.volume))
    fields += [[f"{tag} {value}"] for tag, value in values if value]
    fields += [["%P " + "-".join(page for page in record.pages if page)]] if record.pages[0] else []
    fields += [[f"%R {record.doi}"]] if record.doi else []
    fields += [[f"%K {record.keywords[0]}", *record.keywords[1:]]] if record.keywords else []
    fields += [[f"%Z {note}"] for note in record.notes]
    _shuffled(random, fields)
    return [line for lines in fields for line in lines]
