"""Realm: who answers. Part of every request's address; nothing crosses from one realm to another."""

from typing import Final

STAND_IN: Final = "stand-in"
GOOGLE: Final = "google"

STAND_IN_SUFFIX: Final = "@local-stand-in"
"""What the local cloud's stand-in adds to `modelVersion`. Refused in realm `google`."""


def upstream(url: str, model: str) -> str:
    return f"upstream:{url}#{model}"


def is_simulated(realm: str) -> bool:
    """True where costs are computed as for the asked model but nobody pays them."""
    return realm != GOOGLE
