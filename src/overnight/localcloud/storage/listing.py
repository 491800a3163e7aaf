"""Listing: prefix, delimiter, offsets and pages, in constant memory whatever lies under a common prefix."""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from overnight.localcloud.errors import ApiError
from overnight.localcloud.storage.store import ObjectStore

_MAX_RESULTS: Final = 1000
_FETCH: Final = 500
_LAST_CHARACTER: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Listing:
    names: list[str]
    prefixes: list[str]
    next_page_token: str  # empty at the end


@dataclass(frozen=True, slots=True)
class ListQuery:
    prefix: str = ""
    delimiter: str = ""
    start_offset: str = ""
    end_offset: str = ""
    page_token: str = ""
    max_results: int = _MAX_RESULTS


def list_objects(store: ObjectStore, bucket: str, query: ListQuery) -> Listing:
    """Raises ApiError 404 for the bucket, 400 for a page token that is none."""
    store.bucket(bucket)
    limit = min(query.max_results, _MAX_RESULTS) if query.max_results > 0 else _MAX_RESULTS
    start = max(query.prefix, query.start_offset, _read_token(query.page_token))
    below = query.end_offset or None
    names: list[str] = []
    prefixes: list[str] = []
    while batch := store.names(bucket, start, below, _FETCH):
        for name in batch:
            if not name.startswith(query.prefix):
                return Listing(names, prefixes, "")
            if len(names) + len(prefixes) == limit:
                return Listing(names, prefixes, _token(name))
            common = _common_prefix(name, query)
            if common:
                prefixes.append(common)
                start = common + _LAST_CHARACTER  # leap over everything under it
                break
            names.append(name)
            start = name + "\0"
    return Listing(names, prefixes, "")


def _common_prefix(name: str, query: ListQuery) -> str:
    if not query.delimiter:
        return ""
    end = name.find(query.delimiter, len(query.prefix))
    return name[: end + len(query.delimiter)] if end >= 0 else ""


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _read_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ApiError(400, f"Invalid page token: {token[:100]!r}") from error
