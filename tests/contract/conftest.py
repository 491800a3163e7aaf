"""Fixtures: the local cloud as a subprocess, and Google's own clients pointed at it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.local_cloud import LOCATION, PROJECT, QUICK, LocalCloud


@pytest.fixture(scope="module")
def shared_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud"))
    yield cloud
    assert cloud.stop() == 0


@pytest.fixture
def cloud(shared_cloud: LocalCloud) -> LocalCloud:
    """One process a module; every test finds the switches at their defaults, without waiting times."""
    shared_cloud.reset()
    return shared_cloud


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., LocalCloud]]:
    """Starts processes of the test's own, all on one folder unless another is named."""
    started: list[LocalCloud] = []

    def begin(data: Path | None = None, **switches: object) -> LocalCloud:
        started.append(LocalCloud(data or tmp_path / "cloud", **{**QUICK, **switches}))
        return started[-1]

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait(10)
        one.close()


@pytest.fixture
def storage(cloud: LocalCloud) -> Iterator[Any]:
    """google-cloud-storage, as a person would point it here."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.storage import Client

    with_options = {"api_endpoint": cloud.endpoint}
    client = Client(project=PROJECT, credentials=AnonymousCredentials(), client_options=with_options)
    yield client
    client.close()


@pytest.fixture
def genai(cloud: LocalCloud) -> Iterator[Any]:
    """google-genai, as a person would point it here."""
    from google.genai import Client, types
    from google.oauth2.credentials import Credentials

    options = types.HttpOptions(base_url=cloud.endpoint, timeout=10_000)
    credentials = Credentials(token="local")
    client = Client(enterprise=True, project=PROJECT, location=LOCATION, credentials=credentials, http_options=options)
    yield client
    client.close()
