"""An object as stored, its preconditions, and its metadata as Google writes it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from overnight.localcloud.database import Row
from overnight.localcloud.errors import ApiError
from overnight.localcloud.values import JsonObject, rfc3339

# What a client may set; the rest of the resource is the server's.
WRITABLE: Final = (
    "cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "contentType", "customTime",
    "metadata", "storageClass",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredObject:
    bucket: str
    name: str
    generation: int
    metageneration: int
    size_bytes: int
    crc32c: str
    md5: str
    created_us: int
    updated_us: int
    fields: JsonObject  # what the client set, of WRITABLE
    file: str  # path under objects/

    @classmethod
    def of(cls, row: Row) -> "StoredObject":
        values = {key: row[key] for key in row.keys()}  # noqa: SIM118  a sqlite3.Row iterates over its values
        return cls(**{**values, "fields": json.loads(values["fields"])})

    @property
    def content_type(self) -> str:
        return str(self.fields.get("contentType") or "application/octet-stream")

    def resource(self, base: str) -> JsonObject:
        """base: scheme and host of this very request. A stored mediaLink would break on the next port."""
        path = f"storage/v1/b/{quote(self.bucket, safe='')}/o/{quote(self.name, safe='')}"
        created, updated = rfc3339(self.created_us, 3), rfc3339(self.updated_us, 3)
        return {
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "selfLink": f"{base}/{path}",
            "mediaLink": f"{base}/download/{path}?generation={self.generation}&alt=media",
            "name": self.name,
            "bucket": self.bucket,
            "generation": str(self.generation),
            "metageneration": str(self.metageneration),
            "storageClass": "STANDARD",
            "size": str(self.size_bytes),
            "md5Hash": self.md5,
            "crc32c": self.crc32c,
            "etag": self.etag,
            "timeCreated": created,
            "updated": updated,
            "timeStorageClassUpdated": created,
            **self.fields,
            "contentType": self.content_type,
        }

    @property
    def etag(self) -> str:
        return f"{self.generation:x}/{self.metageneration}"


@dataclass(frozen=True, slots=True)
class Conditions:
    """ifGenerationMatch and its kin. Generation 0 means: there is no such object."""

    generation_match: int | None = None
    generation_not_match: int | None = None
    metageneration_match: int | None = None
    metageneration_not_match: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Conditions":
        """Raises ApiError 400 for a value that is no integer."""
        names = ("ifGenerationMatch", "ifGenerationNotMatch", "ifMetagenerationMatch", "ifMetagenerationNotMatch")
        return cls(*(_whole(query, name) for name in names))

    def check(self, current: StoredObject | None, *, reading: bool = False) -> None:
        """Raises ApiError 412 (304 when a read is asked for unless unchanged)."""
        generation = current.generation if current else 0
        metageneration = current.metageneration if current else 0
        if _differs(self.generation_match, generation) or _differs(self.metageneration_match, metageneration):
            raise ApiError(412, "At least one of the pre-conditions you specified did not hold.")
        if _equals(self.generation_not_match, generation) or _equals(self.metageneration_not_match, metageneration):
            code = 304 if reading else 412
            text = "At least one of the pre-conditions you specified did not hold."
            raise ApiError(code, text, status="FAILED_PRECONDITION", reason="conditionNotMet")

    def to_json(self) -> str:
        values = (
            self.generation_match, self.generation_not_match, self.metageneration_match, self.metageneration_not_match,
        )  # fmt: skip
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str) -> "Conditions":
        return cls(*json.loads(text))


def _differs(wanted: int | None, found: int) -> bool:
    return wanted is not None and wanted != found


def _equals(unwanted: int | None, found: int) -> bool:
    return unwanted is not None and unwanted == found


def _whole(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise ApiError(400, f"Invalid value for {name}: {text!r} is not an integer.") from error


def writable_fields(resource: JsonObject) -> JsonObject:
    """What a client's resource may set. Raises ApiError 400 when `metadata` is not a map of strings."""
    fields = {name: resource[name] for name in WRITABLE if resource.get(name) is not None}
    metadata = fields.get("metadata")
    if metadata is not None and not (
        isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values())
    ):
        raise ApiError(400, "Invalid value for metadata: it must map strings to strings.")
    return fields
