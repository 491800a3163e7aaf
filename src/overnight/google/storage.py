"""Objects in Cloud Storage, streamed both ways and checksummed, through Google's own client.

Why that client and not a thinner one: docs/decisions/0003-storage-client.md. Its own repeats are kept (all our calls
are idempotent by a generation precondition); what it does not do is here: an answer lost after success, and
environment variables that would move it to another host.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, Final

from overnight.errors import NotFoundError, RefusedError, UnavailableError, UsageError
from overnight.google.auth import Access
from overnight.google.endpoints import Endpoints
from overnight.google.storage_errors import may_pass, translated
from overnight.google.upload_stream import LinesFailedError, UploadStream

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Client
    from google.cloud.storage import Bucket as RawBucket

CHUNK_BYTES: Final = 8 * 1024 * 1024  # a multiple of 256 KiB, as resumable uploads want
TIMEOUT_S: Final = 60.0
GOOGLE_PATIENCE_S: Final = 120.0
LOCAL_PATIENCE_S: Final = 20.0
_FIELDS: Final = "items(name,size,crc32c,generation,updated),nextPageToken"


@dataclass(frozen=True, slots=True)
class Bucket:
    """location: lowercase, as jobs spell theirs. location_type: region | dual-region | multi-region.

    soft_delete_s: how long deleted objects are kept and billed; 0 = off. retention_s: how long objects cannot be
    deleted; 0 = at once. event_hold: new objects cannot be deleted until somebody releases them. kms_key: the key of
    the customer's that encrypts new objects, or empty.
    """

    name: str
    location: str
    location_type: str
    soft_delete_s: int
    versioning: bool
    uniform_access: bool
    retention_s: int = 0
    event_hold: bool = False
    requester_pays: bool = False
    kms_key: str = ""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """crc32c: base64, as the API writes it. updated: RFC 3339."""

    name: str
    size_bytes: int
    crc32c: str
    generation: int
    updated: str


@dataclass(frozen=True, slots=True)
class Uploaded:
    size_bytes: int
    crc32c: str
    generation: int


class Storage:
    """Every method raises NotFoundError, RefusedError, CredentialsError or UnavailableError.

    patience_s: how long one call is repeated over 408, 429, 5xx, connection faults and tokens that may come yet.
    timeout_s: for the connection, and for each silence of the server.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        access: Access,
        project: str,
        *,
        patience_s: float | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        from google.cloud.storage.retry import DEFAULT_RETRY

        self._endpoints, self._timeout_s = endpoints, timeout_s
        self._client = _client(endpoints, access, project)
        default_s = LOCAL_PATIENCE_S if endpoints.local else GOOGLE_PATIENCE_S
        theirs = DEFAULT_RETRY._predicate  # noqa: SLF001 - it has no public name
        patient = DEFAULT_RETRY.with_timeout(default_s if patience_s is None else patience_s)
        self._retry = patient.with_predicate(may_pass(theirs))

    def bucket(self, name: str) -> Bucket:
        """Needs storage.buckets.get."""
        with translated(f"gs://{name}"):
            raw = self._client.get_bucket(name, timeout=self._timeout_s, retry=self._retry)
            return _bucket(raw)

    def create_bucket(self, name: str, location: str) -> None:
        """In the local cloud only, and only if it is not there: on Google the bucket is the person's to make."""
        if not self._endpoints.local:
            raise UsageError(
                f"overnight makes no bucket on Google ({name!r} was asked for)",
                hint="`overnight check --print-setup` prints the command.",
            )
        try:
            with translated(f"gs://{name}"):
                self._client.create_bucket(name, location=location, timeout=self._timeout_s, retry=self._retry)
        except RefusedError as refused:
            if refused.code != 409:  # it is there
                raise

    def granted(self, bucket: str, permissions: Iterable[str]) -> frozenset[str]:
        """Those of `permissions` that this account holds on the bucket."""
        with translated(f"gs://{bucket}"):
            held = self._client.bucket(bucket).test_iam_permissions(
                list(permissions), timeout=self._timeout_s, retry=self._retry
            )
        return frozenset(str(permission) for permission in held)

    def grants(self, bucket: str) -> dict[str, frozenset[str]]:
        """role → members, from the bucket's own policy. Needs storage.buckets.getIamPolicy; conditions are ignored."""
        with translated(f"gs://{bucket}"):
            policy = self._client.bucket(bucket).get_iam_policy(
                requested_policy_version=3, timeout=self._timeout_s, retry=self._retry
            )
        roles: dict[str, frozenset[str]] = {}
        for binding in policy.bindings:
            roles[binding["role"]] = roles.get(binding["role"], frozenset()) | frozenset(binding["members"])
        return roles

    def upload(self, bucket: str, name: str, lines: Iterable[bytes]) -> Uploaded:
        """Streams the lines (joined as they are) into a new object, in constant memory.

        An object of that name with the same bytes is taken for ours, uploaded before an answer was lost; with other
        bytes: RefusedError 412. If `lines` raises, that error comes out and no object is left.
        """
        try:
            return self._upload(bucket, name, UploadStream(lines))
        except LinesFailedError as failed:
            fault = failed.fault
        raise fault  # out here, so that it comes out just as the lines raised it

    def _upload(self, bucket: str, name: str, stream: UploadStream) -> Uploaded:
        where = f"gs://{bucket}/{name}"
        blob = self._blob(bucket, name)
        blob.chunk_size = CHUNK_BYTES
        try:
            with translated(where):
                blob.upload_from_file(
                    stream,
                    content_type="application/jsonl",
                    if_generation_match=0,
                    checksum="crc32c",
                    timeout=self._timeout_s,
                    retry=self._retry,
                )
        except RefusedError as refused:
            if refused.code != 412:
                raise
            stream.drain()
            return self._ours(bucket, name, stream, refused)
        except ValueError as cause:
            # The service kept less of a chunk than was sent, and Google's client cannot go back by itself.
            raise UnavailableError(
                f"the upload was interrupted: {cause}", where=where, hint="Run again: no object was made."
            ) from cause
        return Uploaded(stream.size_bytes, stream.crc32c, int(blob.generation))

    def _ours(self, bucket: str, name: str, meant: UploadStream, refused: RefusedError) -> Uploaded:
        there = self.stat(bucket, name)
        if (there.size_bytes, there.crc32c) == (meant.size_bytes, meant.crc32c):
            return Uploaded(there.size_bytes, there.crc32c, there.generation)
        raise RefusedError(
            f"another object has this name: {there.size_bytes:,} bytes (crc32c {there.crc32c}), "
            f"and {meant.size_bytes:,} bytes (crc32c {meant.crc32c}) were to be written",
            code=412,
            where=f"gs://{bucket}/{name}",
            hint="Nothing was overwritten. Is another person or program writing under this prefix?",
        ) from refused

    def stat(self, bucket: str, name: str) -> ObjectInfo:
        with translated(f"gs://{bucket}/{name}"):
            blob = self._blob(bucket, name)
            blob.reload(timeout=self._timeout_s, retry=self._retry)
            return _object(blob)

    def exists(self, bucket: str, name: str) -> bool:
        try:
            self.stat(bucket, name)
        except NotFoundError:
            return False
        return True

    def list(self, bucket: str, prefix: str) -> list[ObjectInfo]:
        """All objects whose name begins with `prefix`, of all pages, by name."""
        with translated(f"gs://{bucket}/{prefix}"):
            found = self._client.list_blobs(
                bucket, prefix=prefix, fields=_FIELDS, timeout=self._timeout_s, retry=self._retry
            )
            return [_object(blob) for blob in found]

    def download(self, bucket: str, name: str, file: BinaryIO, generation: int) -> int:
        """Writes exactly that generation to `file`, checked by crc32c; returns the bytes written.

        On any error what is in `file` is not to be used. Never read an object by lines over HTTP: 100,000 lines took
        27 s that way and 0.3 s through a file.
        """
        where = f"gs://{bucket}/{name}"
        start = file.tell()
        with translated(where):
            self._blob(bucket, name, generation).download_to_file(
                file, checksum="crc32c", timeout=self._timeout_s, retry=self._retry
            )
        return file.tell() - start

    def write_small(self, bucket: str, name: str, data: bytes) -> Uploaded:
        """A manifest or the like: as `upload`, in one request."""
        meant = UploadStream([data])
        meant.drain()
        try:
            generation = self._write(bucket, name, data, 0)
        except RefusedError as refused:
            if refused.code != 412:
                raise
            return self._ours(bucket, name, meant, refused)
        return Uploaded(meant.size_bytes, meant.crc32c, generation)

    def replace_small(self, bucket: str, name: str, data: bytes, generation: int) -> int:
        """Writes only over that generation; 0: only where nothing is. Returns the new one.

        RefusedError 412 where another is there, unless it is these very bytes: then they were written before an answer
        was lost. Who must know that nobody else wrote them puts a nonce into them. Overwriting needs
        storage.objects.delete beside .create.
        """
        try:
            return self._write(bucket, name, data, generation)
        except RefusedError as refused:
            if refused.code != 412:
                raise
            try:
                there, its_generation = self.read_live(bucket, name)
            except NotFoundError:
                there, its_generation = b"", 0
            if there != data:
                raise
            return its_generation

    def _write(self, bucket: str, name: str, data: bytes, generation: int) -> int:
        blob = self._blob(bucket, name)
        with translated(f"gs://{bucket}/{name}"):
            blob.upload_from_string(
                data,
                content_type="application/json",
                if_generation_match=generation,
                checksum="crc32c",
                timeout=self._timeout_s,
                retry=self._retry,
            )
        return int(blob.generation)

    def read_small(self, bucket: str, name: str) -> bytes:
        return self.read_live(bucket, name)[0]

    def read_live(self, bucket: str, name: str) -> tuple[bytes, int]:
        """The bytes as they are now, and their generation: of one moment, in one request."""
        blob = self._blob(bucket, name)
        with translated(f"gs://{bucket}/{name}"):
            data = blob.download_as_bytes(checksum="crc32c", timeout=self._timeout_s, retry=self._retry)
        return bytes(data), int(blob.generation)

    def delete(self, bucket: str, name: str, generation: int | None = None) -> None:
        """An object that is not there is deleted already (also the second answer when the first was lost)."""
        with contextlib.suppress(NotFoundError), translated(f"gs://{bucket}/{name}"):
            self._blob(bucket, name).delete(if_generation_match=generation, timeout=self._timeout_s, retry=self._retry)

    def close(self) -> None:
        self._client.close()

    def _blob(self, bucket: str, name: str, generation: int | None = None) -> "Blob":
        return self._client.bucket(bucket).blob(name, generation=generation)


def _client(endpoints: Endpoints, access: Access, project: str) -> "Client":
    """Google's client with our session and an explicit endpoint, both for Google and for the local cloud.

    The endpoint given beats STORAGE_EMULATOR_HOST and API_ENDPOINT_OVERRIDE; GOOGLE_API_USE_MTLS_ENDPOINT would still
    move it, to a host that has no setting of its own, so that one is set too. Should a newer client find another way,
    the session refuses the host (endpoints.check_destination).
    """
    from google.cloud.storage import Client

    client = Client(
        project=project,
        credentials=access.credentials,
        client_options={"api_endpoint": endpoints.storage},
        _http=access.session(),
    )
    client._connection.API_BASE_MTLS_URL = endpoints.storage  # noqa: SLF001 - no public way, see above
    return client


def _bucket(raw: "RawBucket") -> Bucket:
    policy = raw.soft_delete_policy
    return Bucket(
        name=str(raw.name),
        location=str(raw.location or "").lower(),
        location_type=str(raw.location_type or ""),
        soft_delete_s=int(policy.retention_duration_seconds or 0),
        versioning=bool(raw.versioning_enabled),
        uniform_access=bool(raw.iam_configuration.uniform_bucket_level_access_enabled),
        retention_s=int(raw.retention_period or 0),
        event_hold=bool(raw.default_event_based_hold),
        requester_pays=bool(raw.requester_pays),
        kms_key=str(raw.default_kms_key_name or ""),
    )


def _object(blob: "Blob") -> ObjectInfo:
    updated: datetime | None = blob.updated
    return ObjectInfo(
        name=str(blob.name),
        size_bytes=int(blob.size or 0),
        crc32c=str(blob.crc32c or ""),
        generation=int(blob.generation or 0),
        updated=updated.isoformat() if updated else "",
    )
