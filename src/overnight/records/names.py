"""How a record is called where the study says `id: auto`: by its best identifier, else by its text."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from overnight.core.record import Cell
from overnight.records.hashes import hash63
from overnight.records.identifiers import Identifiers
from overnight.records.ids import AutoIds


class Names:
    """Records named one after another: `pmid:…`, else `doi:…`, else `key:…`, where no record before has that name;
    else by the text. Never by file or row.

    shared_keys: `hash63` of citation keys that name nothing. Remembers 8 bytes and some overhead a record: about 80 MB
    for a million. Two identifiers with one hash cost a record its better name, and nothing else.
    """

    def __init__(self, shared_keys: AbstractSet[int] = frozenset()) -> None:
        self._seen: set[int] = set()
        self._by_text = AutoIds()
        self._shared_keys = shared_keys

    def __call__(self, identifiers: Identifiers, texts: Iterable[Cell]) -> str:
        names = sure_names(identifiers, self._shared_keys) if identifiers else ()
        if names:
            name = names[0]
            number = hash63(name)
            if number not in self._seen:
                self._seen.add(number)
                return name
        return self._by_text(texts)


def sure_names(identifiers: Identifiers, shared_keys: AbstractSet[int]) -> tuple[str, ...]:
    """What identifies the record beside its text, the best first."""
    names = identifiers.named
    if shared_keys and identifiers.key and hash63(names[-1]) in shared_keys:
        return names[:-1]
    return names
