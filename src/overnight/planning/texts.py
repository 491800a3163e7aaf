"""What kinds of texts a study's records have, counted in one pass, and what becomes of each kind: what `check` says."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from overnight.core.record import Record, text_of
from overnight.planning.screening import ScreenTask
from overnight.records.roles import columns_with, roles_of
from overnight.records.text_kinds import SHORT_CHARS, TextKind, kinds_of_title, kinds_of_types, languages_of
from overnight.requests.cleaning import clean

MOST_LISTED: Final = 5
MOST_LISTED_JSON: Final = 100
_TITLE_CHARS: Final = 80

_NO_ABSTRACT_FATES: Final = {
    "person": "not sent: a person decides",
    "title_only": "judged by the title",
    "error": "refused",
}
_SENT: Final = "sent like the others"
_LOOKED_AT: Final = "sent, marked as material; a person looks"
_WORDS: Final = {
    TextKind.NO_ABSTRACT: "no abstract",
    TextKind.SHORT_ABSTRACT: f"an abstract of less than {SHORT_CHARS} characters",
    TextKind.RETRACTED: "retracted, by title or type",
    TextKind.RETRACTION_NOTICE: "a notice of retraction or concern, by title or type",
    TextKind.CORRECTION: "a correction, by title or type",
    TextKind.COMMENT: "a comment, letter or editorial, by title or type",
    TextKind.OTHER_LANGUAGE: "another language than English, by the language column",
    TextKind.SPEAKS_TO_MODEL: "a text that speaks to the model",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One record of a kind. title: cleaned, cut to some 80 characters. source: `file:line`. detail: its language, or
    what it says to the model."""

    record_id: str
    source: str
    title: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class KindCount:
    """records: how many are of this kind. becomes: what will happen to them. first: of them, in the table's order."""

    kind: TextKind
    words: str
    records: int
    becomes: str
    first: Sequence[Listed]


class TextCensus:
    """Counts the records of a `screen` by kind. Holds the first hundred of each and no more, however many there are.

    kinds: by record id, what its duplicates say that it is; these are not seen themselves.
    """

    def __init__(
        self,
        task: ScreenTask,
        columns: Sequence[str],
        no_abstract: str,
        kinds: Mapping[str, frozenset[TextKind]] | None = None,
    ) -> None:
        self._kinds: Final = kinds or {}
        self._task = task
        self._title: Final = roles_of(columns).title
        self._language: Final = columns_with("language", columns)
        self._type: Final = columns_with("type", columns)
        self._cleaning: Final = task.recipe.cleaning
        self._no_abstract: Final = no_abstract
        self._counts: Counter[TextKind] = Counter()
        self._first: dict[TextKind, list[Listed]] = {kind: [] for kind in TextKind}
        self.languages: Counter[str] = Counter()
        """By name; empty: of records that do not say. A record in two languages counts for both."""

    def see(self, record: Record) -> None:
        title = clean(record.values.get(self._title), self._cleaning) if self._title else ""
        spoken = languages_of(_joined(record, self._language))
        self.languages.update(spoken or ("",))
        kinds = kinds_of_title(title) | kinds_of_types(_joined(record, self._type)) | self._of_abstract(record)
        kinds |= self._kinds.get(record.record_id, frozenset())
        if spoken and "english" not in spoken:
            kinds |= {TextKind.OTHER_LANGUAGE}
        said = self._task.said_to_the_model(record)
        if said:
            kinds |= {TextKind.SPEAKS_TO_MODEL}
        details = {TextKind.OTHER_LANGUAGE: ", ".join(spoken), TextKind.SPEAKS_TO_MODEL: said}
        for kind in kinds:
            self._counts[kind] += 1
            if len(self._first[kind]) < MOST_LISTED_JSON:
                detail = details.get(kind, "")
                self._first[kind].append(Listed(record.record_id, record.source, _short(title), detail))

    def _of_abstract(self, record: Record) -> set[TextKind]:
        if self._task.missing_abstract(record):
            return {TextKind.NO_ABSTRACT}
        abstract = clean(record.values.get(self._task.abstract_column), self._cleaning)
        return {TextKind.SHORT_ABSTRACT} if len(abstract) < SHORT_CHARS else set()

    def found(self) -> list[KindCount]:
        """Every kind there is, in the order of TextKind."""
        fates = {
            TextKind.NO_ABSTRACT: _NO_ABSTRACT_FATES[self._no_abstract],
            TextKind.SPEAKS_TO_MODEL: _LOOKED_AT,
        }
        return [
            KindCount(kind, _WORDS[kind], self._counts[kind], fates.get(kind, _SENT), self._first[kind])
            for kind in TextKind
            if self._counts[kind]
        ]

    @property
    def says_language(self) -> bool:
        """False: no column holds languages, or all of its cells are blank."""
        return any(self.languages)

    def as_json(self) -> Mapping[str, Any]:
        """`kinds`: by name, each with `records`, `becomes` and the `first` hundred. `languages`: `""` is not known."""
        return {
            "kinds": {
                one.kind.value: {
                    "records": one.records,
                    "becomes": one.becomes,
                    "first": [{"record_id": r.record_id, "source": r.source, "title": r.title} for r in one.first],
                }
                for one in self.found()
            },
            "languages": dict(self.languages.most_common()),
        }


def _joined(record: Record, columns: Sequence[str]) -> str:
    """What any of the columns says; a record's own file has one of them, mostly."""
    return "; ".join(filter(None, (text_of(record.values.get(column)) for column in columns)))


def _short(title: str) -> str:
    words = " ".join(title.split())
    return words if len(words) <= _TITLE_CHARS else f"{words[: _TITLE_CHARS - 1]}…"
