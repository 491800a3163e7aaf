"""CSV with the columns that other screening tools take. docs/reference/results.md has their sources."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from overnight.core.record import Cell
from overnight.core.task import Column
from overnight.records.writers.citation import Citation
from overnight.records.writers.marks import Marks

_LABELS: Final[dict[str, Cell]] = {"include": 1, "exclude": 0}


@dataclass(frozen=True, slots=True)
class Exchange:
    """row: of a citation, its decision (empty where there is none) and what is added to it."""

    columns: Sequence[Column]
    row: Callable[[Citation, str, Marks], list[Cell]]


def _asreview(citation: Citation, decision: str, marks: Marks) -> list[Cell]:
    return [
        citation.record_id,
        citation.first("title"),
        citation.first("abstract"),
        "; ".join(citation.all("authors")),
        "; ".join(citation.all("keywords")),
        citation.first("doi"),
        " ".join(citation.all("url")[:1]),
        _LABELS.get(decision),
        marks.note,
    ]


def _rayyan(citation: Citation, decision: str, marks: Marks) -> list[Cell]:  # noqa: ARG001  # it is in the note
    return [
        citation.record_id,
        citation.first("title"),
        "; ".join(citation.all("authors")),
        *(citation.first(name) for name in ("journal", "issn", "volume", "issue", "pages", "year")),
        " ".join(citation.all("url")[:1]),
        citation.first("abstract"),
        "; ".join(citation.all("keywords")),
        *(citation.first(name) for name in ("doi", "pmid")),
        "; ".join([*marks.keywords, marks.note]),
    ]


_ASREVIEW: Final = ("record_id", "title", "abstract", "authors", "keywords", "doi", "url", "included", "notes")
_RAYYAN: Final = (
    *("key", "title", "authors", "journal", "issn", "volume", "issue", "pages", "year", "url", "abstract"),
    *("keywords", "doi", "pubmed_id", "notes"),
)

EXCHANGES: Final = {
    "asreview": Exchange(tuple(map(Column, _ASREVIEW)), _asreview),
    "rayyan": Exchange(tuple(map(Column, _RAYYAN)), _rayyan),
}
