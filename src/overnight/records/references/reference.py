"""One bibliographic record, whatever the file it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

COLUMNS: Final = (
    "title",
    "abstract",
    "authors",
    "year",
    "journal",
    "volume",
    "issue",
    "pages",
    "doi",
    "pmid",
    "pmcid",
    "citation_key",
    "accession_number",
    "type",
    "language",
    "keywords",
    "issn",
    "url",
    "database",
    "other",
)
"""What a table of references can have, in this order; it has those of them that occur in its file. All are text but
`other`, a JSON object: the tags or elements that no column holds, each with its values in order. Nothing is lost."""

SEPARATOR: Final = "; "
"""Between the values of a column that a record may have several of: authors, keywords, types, issn, url."""


@dataclass(slots=True)
class Reference:
    """line: 1-based, where it begins. fields: by COLUMNS, only those with something in them, as the file has them
    (entities and tags too; cleaning is for requests/cleaning.py). other: see COLUMNS. raw: its text as it stands in the
    file, from its first character to its last, so that it can be given back untouched.
    """

    line: int
    fields: dict[str, str]
    other: Mapping[str, list[str]] = field(default_factory=dict)
    raw: str = ""
