"""Which models and locations there are, as facts 6 and 7 say (read November 2026)."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from overnight.localcloud.errors import ApiError

_ANYWHERE: Final[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """status: `closed` is refused for projects without earlier use, `retired` for all. locations: empty = every one.

    thinks: what the model takes in thinkingConfig. default_thinking: its level when nothing is said.
    """

    status: Literal["open", "closed", "retired"] = "open"
    batch: Literal["yes", "no", "unsure"] = "yes"
    max_output_tokens: int = 65_536
    thinks: Literal["level", "level_or_budget", "budget"] = "level_or_budget"
    default_thinking: str = "MEDIUM"
    levels: tuple[str, ...] = ("MINIMAL", "LOW", "MEDIUM", "HIGH")
    locations: tuple[str, ...] = _ANYWHERE


_THREE: Final = ("LOW", "MEDIUM", "HIGH")
_WIDE: Final = ("global", "us", "eu")
MODELS: Final = {
    # facts 7.1. Gemini 4 takes levels only (7.3); batch of Carbon and Hydrogen on Vertex is not known.
    "gemini-4-carbon": Model(batch="unsure", thinks="level", levels=_THREE, locations=_WIDE),
    "gemini-4-argon": Model(batch="unsure", thinks="level", levels=_THREE, locations=_WIDE),
    "gemini-4-hydrogen": Model(
        batch="unsure", thinks="level", levels=(*_THREE, "XHIGH"), default_thinking="HIGH", locations=_WIDE
    ),
    "gemini-3.8-flash": Model(levels=_THREE),
    "gemini-3.7-flash": Model(levels=_THREE),
    "gemini-3.6-flash": Model(status="retired"),  # 2026-11-19 on Vertex [T]
    "gemini-3.5-flash": Model(),
    "gemini-3.5-flash-lite": Model(default_thinking="MINIMAL"),
    "gemini-3.1-pro-preview": Model(levels=_THREE, default_thinking="HIGH"),
    "gemini-3.1-flash-lite": Model(default_thinking="MINIMAL"),
    "gemini-3-flash-preview": Model(default_thinking="HIGH"),
    "gemini-2.5-pro": Model(status="closed", thinks="budget", max_output_tokens=65_535, default_thinking="HIGH"),
    "gemini-2.5-flash": Model(status="closed", thinks="budget", max_output_tokens=65_535),
    "gemini-2.5-flash-lite": Model(status="closed", thinks="budget", max_output_tokens=65_535, default_thinking="OFF"),
    "gemini-2.5-flash-preview-04-17": Model(batch="no"),  # facts 9.1: the refusal of pg#704
    "gemini-3-pro-preview": Model(status="retired"),
    "gemini-2.0-flash": Model(status="retired"),
    "gemini-2.0-flash-lite": Model(status="retired"),
    "gemini-1.5-pro": Model(status="retired"),
    "gemini-1.5-flash": Model(status="retired"),
}

_LOCATIONS_TEXT: Final = """
    global us eu africa-south1 asia-east1 asia-east2 asia-northeast1 asia-northeast2 asia-northeast3 asia-south1
    asia-south2 asia-southeast1 asia-southeast2 australia-southeast1 australia-southeast2 europe-central2 europe-north1
    europe-southwest1 europe-west1 europe-west2 europe-west3 europe-west4 europe-west6 europe-west8 europe-west9
    europe-west12 me-central1 me-central2 me-west1 northamerica-northeast1 northamerica-northeast2 southamerica-east1
    southamerica-west1 us-central1 us-east1 us-east4 us-east5 us-south1 us-west1 us-west2 us-west3 us-west4"""
LOCATIONS: Final = frozenset(_LOCATIONS_TEXT.split())
_NAME: Final = re.compile(
    r"(?:projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/)?publishers/google/models/(?P<id>[A-Za-z0-9._@-]+)"
)


def check_location(location: str) -> None:
    if location not in LOCATIONS:
        raise ApiError(400, f"Location {location!r} is not a location of this service.")


def model_id(resource: str) -> str:
    """The id in `publishers/google/models/{id}`, with or without project and location. Raises ApiError 400."""
    found = _NAME.fullmatch(resource)
    if not found:
        text = f"Invalid model resource name {resource!r}: write publishers/google/models/{{model}}."
        raise ApiError(400, text)
    return found["id"].split("@", 1)[0]


def find_model(name: str, location: str, *, old_project: bool) -> Model:
    """Raises ApiError 404 for a model that does not exist, is retired, closed or not offered here."""
    model = MODELS.get(name)
    refused = (
        model is None
        or model.status == "retired"
        or (model.status == "closed" and not old_project)
        or (model.locations and location not in model.locations)
    )
    if model is None or refused:
        raise ApiError(
            404,
            f"Publisher Model `publishers/google/models/{name}` was not found or your project does not have access"
            f" to it. Please ensure you are using a valid model version, in a location ({location}) that has it.",
        )
    return model


def check_batch(name: str, model: Model, *, unsure_allowed: bool) -> None:
    if model.batch == "no" or (model.batch == "unsure" and not unsure_allowed):
        raise ApiError(400, f"Do not support publisher model {name}")
