"""Quotes in real abstracts, through the task: what is planted is found where it stands, what is invented is not."""

import csv
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from overnight.answers.quotes import fold
from overnight.core.record import Record
from overnight.planning.screening import ScreenTask
from tests.support.screens import answer, row, screen_task, settled

pytestmark = pytest.mark.real_data

Change = Callable[[str], str | None]
"""A sentence as a model might give it back; None where this cannot be done to it."""

# Not those that change the sense: "withot" may have been "with".
_LONG_WORD = re.compile(r"\b(?!without\b|neither\b|hundred\b|nineteen\b)[a-z]{7,}\b")
_NUMBER = re.compile(r"\d+")
_VERB = re.compile(r"\b(?:was|were|is|are|has|have|can|may)\b")


def _typo(sentence: str) -> str | None:
    """Two neighbouring letters of the longest word change places, not of the three that it begins with."""
    words = sorted(_LONG_WORD.finditer(sentence), key=lambda match: len(match[0]), reverse=True)
    for match in words:
        i = match.start() + 4
        if sentence[i] != sentence[i + 1] and len(sentence) >= 30:
            return sentence[:i] + sentence[i + 1] + sentence[i] + sentence[i + 2 :]
    return None


def _lost_letter(sentence: str) -> str | None:
    match = _LONG_WORD.search(sentence)
    return sentence[: match.start() + 5] + sentence[match.start() + 6 :] if match else None


def _other_number(sentence: str) -> str | None:
    match = _NUMBER.search(sentence)
    return f"{sentence[: match.start()]}{int(match[0]) + 1}{sentence[match.end() :]}" if match else None


def _negated(sentence: str) -> str | None:
    match = _VERB.search(sentence)
    return f"{sentence[: match.end()]} not{sentence[match.end() :]}" if match else None


PLANTED: dict[str, Change] = {
    "as_it_is": lambda sentence: sentence,
    "upper": lambda sentence: f"“{sentence.replace('-', '–').replace(chr(39), '’').upper()}…”",
    "decomposed": lambda sentence: unicodedata.normalize("NFD", sentence.replace(" ", "\r\n  ")),
    "entities": lambda sentence: sentence.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
    "soft": "\u00ad".join,
}
SLIPS: dict[str, Change] = {"typo": _typo, "lost_letter": _lost_letter}
INVENTED: dict[str, Change] = {"number": _other_number, "negation": _negated}

STUDY = """\
study: real
records: {files: [r.csv], text: [title, abstract]}
screen:
  question: Is it there?
  include:
%s
model: {name: gemini-3.8-flash}
"""


@pytest.fixture(scope="module")
def abstracts() -> list[str]:
    folder = os.environ.get("OVERNIGHT_DATA")
    if not folder:
        pytest.skip("OVERNIGHT_DATA is not set: real abstracts are not part of the repository")
    with (Path(folder) / "pubmedqa_1000.csv").open(encoding="utf-8", newline="") as file:
        return [row["abstract"] for row in csv.DictReader(file)]


def sentence_of(text: str) -> str:
    """The longest of up to 300 characters; some abstracts have none."""
    return max((one for one in text.split(". ") if len(one) <= 300), key=len, default=text[:300].rpartition(" ")[0])


def as_exported(text: str) -> str:
    """The same words as a database might hold them: entities, tags, other line ends and spaces."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"\b(in|of)\b", r"<i>\1</i>", text)
    return "<p>" + text.replace(". ", ".\r\n").replace(", ", ",\u00a0") + "</p>"


def sought(
    folder: Path, abstracts: list[str], changes: dict[str, Change], dress: Callable[[str], str] = str
) -> Iterator[tuple[str, str, str, str, str]]:
    """(kind of change, sentence, quote, found, passage in the cell as the table has it)."""
    ids = "\n".join(f"    - {{id: {name}, ask: It is there.}}" for name in changes)
    task: ScreenTask = screen_task(folder, STUDY % ids)
    for text in abstracts:
        sentence = sentence_of(text)
        quotes = {name: quote for name, change in changes.items() if (quote := change(sentence)) is not None}
        record = Record("r", 0, {"title": "A title of its own", "abstract": dress(text)}, "r.csv:2")
        cells = row(task, record, settled(answer(**{name: ("met", quote) for name, quote in quotes.items()})))
        for name, quote in quotes.items():
            passage = ""
            if cells[f"c_{name}_quote_at"]:
                column, start, end = re.split("[:-]", str(cells[f"c_{name}_quote_at"]))
                passage = str(record.values[column])[int(start) : int(end)]
            yield name, sentence, quote, str(cells[f"c_{name}_quote_found"]), passage


def plain(text: str) -> str:
    return fold(text).text.strip("'. ,;:")


DRESSES = pytest.mark.parametrize(("dress", "every"), [(str, 1), (as_exported, 4)], ids=["as it is", "as exported"])


@DRESSES
def test_a_sentence_in_another_typeface_is_found_where_it_stands(
    tmp_path: Path, abstracts: list[str], dress: Callable[[str], str], every: int
) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for kind, sentence, _, found, passage in sought(tmp_path, abstracts[::every], PLANTED, dress):
        counts[kind, found] += 1
        if found != "no":
            assert plain(passage) == plain(sentence)
    assert counts == {(kind, "exact"): 1000 // every for kind in PLANTED}


@DRESSES
def test_a_slip_of_typing_is_near_and_its_place_is_the_sentence(
    tmp_path: Path, abstracts: list[str], dress: Callable[[str], str], every: int
) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for kind, sentence, _, found, passage in sought(tmp_path, abstracts[::every], SLIPS, dress):
        counts[kind, found] += 1
        if found != "no":
            assert plain(passage) == plain(sentence)
    assert set(counts) == {(kind, "near") for kind in SLIPS}
    assert counts.total() == {1: 1999, 4: 499}[every]


def test_a_changed_number_and_an_added_not_are_not_found(tmp_path: Path, abstracts: list[str]) -> None:
    counts = Counter((kind, found) for kind, _, _, found, _ in sought(tmp_path, abstracts, INVENTED))
    assert counts == {("number", "no"): 700, ("negation", "no"): 792}


def test_sentences_of_other_abstracts_are_not_found(tmp_path: Path, abstracts: list[str]) -> None:
    """Each abstract with the sentences of five others."""
    strangers = {f"other_{n}": n for n in (1, 2, 3, 5, 8)}
    sentences = list(map(sentence_of, abstracts))
    places = {sentence: place for place, sentence in enumerate(sentences)}
    changes: dict[str, Change] = {
        name: (lambda own, n=n: sentences[(places[own] + n) % len(sentences)])  # type: ignore[misc]
        for name, n in strangers.items()
    }
    counts = Counter(found for *_, found, _ in sought(tmp_path, abstracts, changes))
    assert counts == {"no": 5000}
