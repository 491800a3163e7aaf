"""One local cloud for all faults, its switches at rest before each test; sixty records and what is true of them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from overnight.backends import vertex_storage
from overnight.backends.backend import Patience
from tests.support.cloud import SWIFT, instead_of_a_child
from tests.support.local_cloud import LocalCloud
from tests.support.studies import SmallStudy

RECORDS = 60
Truth = dict[str, tuple[str, ...]]


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud"), **SWIFT)
    with instead_of_a_child(cloud):
        yield cloud
    cloud.stop()


@pytest.fixture
def cloud(shared: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> LocalCloud:
    """Patience with a lost create is counted in tenths of a second here."""
    shared.reset()
    quick = Patience((0.05, 0.1), then_create=True, poll_s=(0.02, 0.1), unusual_s=60)
    monkeypatch.setattr(vertex_storage, "LOCAL_PATIENCE", quick)
    return shared


@pytest.fixture(scope="package")
def truth(shared: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """record_id → what an undisturbed run answers. Each answer holds its record's own number."""
    shared.reset()
    study = SmallStudy.of(tmp_path_factory.mktemp("truth"), RECORDS)
    assert study.cli("run").code == 0
    found = study.answers()
    assert len(found) == RECORDS
    assert all(answer[-1] == record_id[1:] for record_id, answer in found.items())
    return found


@pytest.fixture
def study(tmp_path: Path, truth: Truth, cloud: LocalCloud) -> SmallStudy:
    return SmallStudy.of(tmp_path / "study", RECORDS)


@pytest.fixture
def nobody_has_anothers_answer(study: SmallStudy, truth: Truth) -> Iterator[Callable[[], None]]:
    """After every test, and when called: what is an answer is that record's answer."""

    def check() -> None:
        for record_id, answer in study.answers().items():
            assert answer == truth[record_id], f"{record_id} has another record's answer: {answer}"

    yield check
    if (study.home / "stand-in" / "results.csv").exists():
        check()
