"""Law: whatever happens in whatever order, nothing is lost, attached wrongly or paid twice, and all settles at last."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.crash.driver import Driver
from tests.crash.machine import Stage, interleaved
from tests.support.cloud import SWIFT
from tests.support.local_cloud import LocalCloud

EXAMPLES, STEPS = 5, 12
"""Some 30 s of one core; `make reliability` tries more and longer ones."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Driver(tmp_path) as driver:
        made = Stage(LocalCloud(tmp_path / "cloud", **SWIFT), driver, tmp_path)
        yield made
        made.cloud.stop()


def test_faults_kills_edits_and_words_of_a_person_in_any_order(stage: Stage) -> None:
    bounded = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],  # a run of a step takes too long to try many shorter ones
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(interleaved(stage), settings=bounded)
    assert stage.runs >= EXAMPLES
    assert stage.kills, "no command was killed: this shows nothing of kills"
