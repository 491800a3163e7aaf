"""What lies beside each shard's input, as run/send.py wrote it: enough to know, without a ledger, what was asked.

Version 1 has only ever gained fields: one that is absent has the meaning it had before it was written. A version that
this overnight does not know is refused, since a shard that is passed over would be paid for twice.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from overnight.backends.backend import Backend, Staged
from overnight.core.recipe import Recipe
from overnight.errors import LedgerError, NotFoundError
from overnight.ledger.recipes import recipe_from_json
from overnight.ledger.shards import Place

MANIFEST_VERSION: Final = 1
_NUMBER = re.compile(r".*-s(\d{5,})-[0-9a-f]+")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Manifest:
    """samples: those the recipe was pinned for. rows: None where it was not noted. reopened: address → last attempt
    before a person opened the request again. place: where the job was made, and where its files are now."""

    study: str
    uid: str
    label: str
    number: int
    realm: str
    stage: str
    samples: tuple[int, ...]
    model: str
    max_output_tokens: int
    intended: str
    rows: int | None
    recipe: Recipe
    reopened: dict[bytes, int]
    place: Place


@dataclass(frozen=True, slots=True)
class Head:
    """What tells one study's manifests from another's; empty where the manifest does not say."""

    study: str
    realm: str
    intended: str


def read_head(backend: Backend, staged: Staged) -> Head | None:
    """Of any version. None for one that cannot be read: it may be anybody's. Raises CloudError."""
    try:
        value = json.loads(backend.manifest(staged.place))
    except (ValueError, NotFoundError):
        return None
    if not isinstance(value, dict):
        return None
    return Head(*(str(value.get(name) or "") for name in ("study", "realm", "intended")))


def read_manifest(backend: Backend, staged: Staged) -> Manifest:
    """Raises LedgerError for one of a later version, or that cannot be read; CloudError."""
    where = f"{staged.place.bucket}/{staged.place.input.rsplit('/', 1)[0]}/manifest.json"
    data = backend.manifest(staged.place)
    try:
        value = json.loads(data)
        if not isinstance(value, dict):
            raise TypeError("it is no JSON object")
        version = _of(value, "version", int, 1)
        if version > MANIFEST_VERSION:
            raise LedgerError(
                f"a manifest is of version {version}, this overnight knows up to {MANIFEST_VERSION}",
                where=where,
                hint="Update overnight, then run `overnight recover` again.",
            )
        return _manifest(staged, value)
    except (ValueError, TypeError, KeyError) as cause:
        raise LedgerError(
            f"a manifest cannot be read: {cause}",
            where=where,
            hint="It says what one job was asked. If it is not overnight's, move that folder away; else its requests"
            " would be asked, and paid for, again. Then run `overnight recover` again.",
        ) from cause


def _manifest(staged: Staged, value: dict[str, Any]) -> Manifest:
    recipe = recipe_from_json(_of(value, "recipe", str))
    if recipe.digest != _of(value, "recipe_digest", str):
        raise ValueError(f"its recipe reads as {recipe.digest[:12]}…, and it says {value['recipe_digest'][:12]}…")
    if (_of(value, "uid", str), _of(value, "label", str)) != (staged.uid, staged.label):
        raise ValueError(f"it is of {value['uid']}/{value['label']}, and lies in another folder")
    named = _NUMBER.fullmatch(staged.label)
    place = staged.place
    return Manifest(
        study=_of(value, "study", str),
        uid=staged.uid,
        label=staged.label,
        number=_of(value, "number", int, int(named[1]) if named else 1),
        realm=_of(value, "realm", str),
        stage=_of(value, "stage", str, recipe.stage),
        samples=tuple(map(int, _of(value, "samples", list, [1]))),
        model=_of(value, "model", str),
        max_output_tokens=_of(value, "max_output_tokens", int),
        intended=_of(value, "intended", str, ""),
        rows=_of(value, "rows", int, None),
        recipe=recipe,
        reopened={bytes.fromhex(key): int(after) for key, after in _of(value, "reopened", dict, {}).items()},
        place=replace(
            place,
            project=_of(value, "project", str, place.project),
            location=_of(value, "location", str, place.location),
        ),
    )


_NEEDED: Final = object()


def _of(value: dict[str, Any], name: str, kind: "Callable[..., _T]", default: Any = _NEEDED) -> Any:
    """Raises ValueError or TypeError naming the field."""
    if name not in value:
        if default is _NEEDED:
            raise ValueError(f"it has no {name!r}")
        return default
    found = value[name]
    if not isinstance(found, kind) or isinstance(found, bool):  # type: ignore[arg-type]
        raise TypeError(f"its {name!r} is {found!r}")
    return found
