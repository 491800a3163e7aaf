"""Fixtures: the local cloud as a subprocess, Google's own clients pointed at it, and studies that run on it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cloud import SWIFT, instead_of_a_child
from tests.support.google_cli import in_place_of_google
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


@pytest.fixture(scope="module")
def shared_google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """One process a module, in Google's place for studies with a `cloud:`, and the child of those without."""
    cloud = LocalCloud(tmp_path_factory.mktemp("google"), **SWIFT)
    cloud.bucket("my-bucket")
    with instead_of_a_child(cloud), in_place_of_google(cloud.endpoint):
        yield cloud
    cloud.stop()


@pytest.fixture
def google(shared_google: LocalCloud) -> LocalCloud:
    """Its lines name the model that was asked for: in realm google a stand-in's are refused."""
    shared_google.reset()
    shared_google.switch(model_version_suffix="")
    return shared_google


@pytest.fixture(scope="module")
def shared_child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path_factory.mktemp("child"), **SWIFT)
    with instead_of_a_child(cloud):
        yield cloud
    cloud.stop()


@pytest.fixture
def child(shared_child: LocalCloud) -> LocalCloud:
    """One process a module, in place of the one that each run of a study without a `cloud:` would start."""
    shared_child.reset()
    return shared_child
