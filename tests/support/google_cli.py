"""The CLI in realm google, with a local cloud in Google's place.

    python tests/support/google_cli.py --endpoint http://127.0.0.1:PORT [--patience JSON] -- run study.yaml --yes

Only the way to Google is replaced: the address, the credentials, and how long to look for a lost job. The study names
its own `cloud:`; start the local cloud with `model_version_suffix=` (empty), or its lines are refused as a stand-in's.
"""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from overnight.backends.backend import Patience
from overnight.cli.main import main as overnight
from overnight.google.auth import local_access
from overnight.google.endpoints import local_endpoints
from overnight.study.models import Study
from overnight.wiring import service

SHORT = Patience((0.05, 0.1), then_create=False, poll_s=(0.02, 0.2), unusual_s=3600)
"""As patient as with Google in kind (not listed does not prove not made), not in seconds."""


@contextlib.contextmanager
def in_place_of_google(endpoint: str, patience: Patience = SHORT) -> Iterator[None]:
    """Until it is left, studies with a `cloud:` reach the local cloud at `endpoint`."""

    def stand_in(study: Study) -> service.Service:
        cloud = study.cloud
        assert cloud is not None, "only realm google comes here"
        return service.Service(
            local_endpoints(endpoint),
            local_access(),
            patience,
            cloud.project,
            cloud.location,
            cloud.bucket,
            cloud.prefix,
        )

    real = service.google_service
    service.google_service = stand_in
    try:
        yield
    finally:
        service.google_service = real


def patience_of(text: str) -> Patience:
    """JSON object with any of Patience's fields; the others are SHORT's."""
    given: dict[str, Any] = json.loads(text)
    return Patience(
        tuple(given.get("look_again_s", SHORT.look_again_s)),
        given.get("then_create", SHORT.then_create),
        tuple(given.get("poll_s", SHORT.poll_s)),
        given.get("unusual_s", SHORT.unusual_s),
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--patience", type=patience_of, default=SHORT)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args(argv)
    with in_place_of_google(arguments.endpoint, arguments.patience):
        return overnight([word for word in arguments.command if word != "--"])


if __name__ == "__main__":
    sys.exit(main())
