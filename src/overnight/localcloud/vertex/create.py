"""What a create must look like (facts 1.2 and 9.1). Buckets are not looked at: a bad one is accepted
at create and fails the job later (facts 9.2 [L])."""

import re
from typing import Final

from overnight.localcloud.errors import ApiError
from overnight.localcloud.switches import Switches
from overnight.localcloud.values import JsonObject
from overnight.localcloud.vertex import models

_LABEL_TEXT: Final = re.compile(r"[a-z0-9_-]{0,63}")
_MAX_LABELS: Final = 64
_GCS_URI: Final = re.compile(r"gs://[^/]+(/.*)?")
_KNOWN_TEXT: Final = """
    displayName model inputConfig outputConfig labels modelParameters instanceConfig encryptionSpec serviceAccount
    dedicatedResources manualBatchTuningParameters generateExplanation explanationSpec unmanagedContainerModel
    modelVersionId disableContainerLogging modelMonitoringConfig name state createTime startTime endTime updateTime
    error partialFailures completionStats outputInfo resourcesConsumed satisfiesPzs satisfiesPzi"""
_KNOWN: Final = frozenset(_KNOWN_TEXT.split())
_SERVER_FIELDS_TEXT: Final = (
    "name state createTime startTime endTime updateTime error partialFailures completionStats outputInfo"
)
_SERVER_FIELDS: Final = frozenset(_SERVER_FIELDS_TEXT.split())


def check_create(body: JsonObject, location: str, switches: Switches) -> JsonObject:
    """The accepted resource as the client wrote it, `uris` as a list. Raises ApiError 400 or 404."""
    models.check_location(location)
    unknown = sorted(set(body) - _KNOWN)
    if unknown:
        raise ApiError(400, f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.')
    _text(body, "displayName")
    name = models.model_id(_text(body, "model"))
    model = models.find_model(name, location, old_project=switches.text("project_age") == "old")
    models.check_batch(name, model, unsure_allowed=switches.flag("gemini_4_batch"))
    kept = {key: value for key, value in body.items() if key not in _SERVER_FIELDS}
    kept["inputConfig"] = _input(_object(body, "inputConfig"))
    kept["outputConfig"] = _output(_object(body, "outputConfig"))
    if "labels" in body:
        check_labels(body["labels"])
    return kept


def _input(config: JsonObject) -> JsonObject:
    if "requests" in config or "inlinedRequests" in config or "fileName" in config:
        raise ApiError(400, "inputConfig: inline requests and files are not supported: use gcsSource.")
    if config.get("instancesFormat") != "jsonl":
        text = "the local cloud reads jsonl from gcsSource only (BigQuery is absent, see its coverage page)"
        raise ApiError(400, f"inputConfig.instancesFormat {config.get('instancesFormat')!r}: {text}.")
    source = config.get("gcsSource")
    uris = source.get("uris") if isinstance(source, dict) else None
    if isinstance(uris, str):  # Google's own REST sample passes a bare string (facts 1.2)
        uris = [uris]
    if not isinstance(uris, list) or not uris:
        raise ApiError(400, "inputConfig.gcsSource.uris: required, a list of gs:// addresses.")
    for uri in uris:
        _check_uri("inputConfig.gcsSource.uris", uri)
        if uri.count("/") < 3 or uri.endswith("/"):
            raise ApiError(400, f"inputConfig.gcsSource.uris: {uri!r} names no object.")
    return {**config, "gcsSource": {"uris": uris}}


def _output(config: JsonObject) -> JsonObject:
    if config.get("predictionsFormat") != "jsonl":
        text = "the local cloud writes jsonl to gcsDestination only (BigQuery is absent, see its coverage page)"
        raise ApiError(400, f"outputConfig.predictionsFormat {config.get('predictionsFormat')!r}: {text}.")
    destination = config.get("gcsDestination")
    prefix = destination.get("outputUriPrefix") if isinstance(destination, dict) else None
    _check_uri("outputConfig.gcsDestination.outputUriPrefix", prefix)
    return config


def _check_uri(where: str, uri: object) -> None:
    if not isinstance(uri, str) or not _GCS_URI.fullmatch(uri):
        raise ApiError(400, f"{where}: {uri!r} is not a Cloud Storage address (gs://bucket/name).")


def check_labels(labels: object) -> None:
    """At most 64; keys and values of at most 63 lowercase letters, digits, `_`, `-`; keys begin with a letter."""
    if not isinstance(labels, dict):
        raise ApiError(400, "labels: must map strings to strings.")
    if len(labels) > _MAX_LABELS:
        raise ApiError(400, f"labels: {len(labels)} labels are more than {_MAX_LABELS}.")
    for key, value in labels.items():
        if not _LABEL_TEXT.fullmatch(key) or not key[:1].isalpha():
            raise ApiError(400, f"labels: invalid label key {key!r}: lowercase letters, digits, _ and -, at most 63.")
        if not isinstance(value, str) or not _LABEL_TEXT.fullmatch(value):
            raise ApiError(400, f"labels: invalid value {value!r} of {key!r}: lowercase letters, digits, _ and -.")


def _text(body: JsonObject, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ApiError(400, f"Required field is not set: {name}.")
    return value


def _object(body: JsonObject, name: str) -> JsonObject:
    value = body.get(name)
    if not isinstance(value, dict):
        raise ApiError(400, f"Required field is not set: {name}.")
    return value
