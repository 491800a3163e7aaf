"""Parsed JSON and times, as every service here writes them."""

from datetime import UTC, datetime
from typing import Any

JsonObject = dict[str, Any]
"""One parsed JSON object. What is in it was written by a client and is checked where it is used."""


def now_us() -> int:
    """Microseconds since 1970, UTC."""
    return int(datetime.now(UTC).timestamp() * 1_000_000)


def rfc3339(moment_us: int, digits: int = 6) -> str:
    """`2026-11-22T11:43:00.123456Z`; digits: 0, 3 or 6 after the point."""
    moment = datetime.fromtimestamp(moment_us / 1_000_000, UTC)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
    return (text[: 20 + digits] if digits else text[:19]) + "Z"


def parse_rfc3339(text: str) -> int:
    """Microseconds since 1970. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1_000_000)
