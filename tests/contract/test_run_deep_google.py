"""Deep think where it is paid for: a cap that holds only part, a lost ledger, jobs made by hand."""

import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from overnight.backends import vertex_storage
from overnight.backends.backend import Patience
from tests.contract.test_run_adopt import made_by_hand, requests_of, without_keys
from tests.support.cloud import jobs_by_label, served
from tests.support.local_cloud import LocalCloud
from tests.support.small_screens import NAPS, NIGHT, SmallScreen
from tests.support.studies import CLOUD

RECORDS = 16
FOLDER = "results"
QUICK = Patience((0.05, 0.1), then_create=True, poll_s=(0.02, 0.1), unusual_s=60)
SCREENS = [
    ((NIGHT, NAPS), "samples: 3"),
    ((NAPS,), "samples: 3, adjudicate: all"),
    ((NIGHT, NAPS), "samples: 3, adaptive: true"),
]
BOUND = "SELECT record_id, stage, sample, address, recipe FROM binding ORDER BY 1, 2, 3"


@pytest.fixture
def cloud(google: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> LocalCloud:
    monkeypatch.setattr(vertex_storage, "LOCAL_PATIENCE", QUICK)
    return google


def make(home: Path, more: str = CLOUD, **changes: object) -> SmallScreen:
    return SmallScreen.of(home, RECORDS, more=more, **changes)


def run(study: SmallScreen, *options: str) -> int:
    ended = study.cli("run", "--yes", "--no-smoke", "--json", *options)
    assert ended.code == 0, ended.err
    return int(ended.json["requests_sent"])


@pytest.mark.parametrize(("criteria", "deep"), SCREENS, ids=["two criteria", "one criterion", "adaptive"])
def test_a_lost_ledger_comes_back_with_samples_and_adjudications_each_bound_as_it_was(
    cloud: LocalCloud, tmp_path: Path, criteria: tuple[str, ...], deep: str
) -> None:
    """Samples of one criterion share one recipe, so a job holds three lines of each record that are alike."""
    study = make(tmp_path / "study", criteria=criteria, deep=deep)
    run(study)
    results = (study.home / FOLDER / "results.csv").read_bytes()
    bound, paid = study.query(BOUND), (jobs_by_label(cloud, study.uid), served(cloud.data, study.uid))
    assert {stage for _, stage, *_ in bound} == {"screen", "adjudicate"}
    uid = study.uid
    shutil.rmtree(study.home / ".overnight")
    assert study.cli("recover").code == 0
    assert study.query(BOUND) == bound, "also before the next run"
    assert run(study) == 0
    assert (study.uid, study.query(BOUND)) == (uid, bound)
    assert (study.home / FOLDER / "results.csv").read_bytes() == results
    assert (jobs_by_label(cloud, uid), served(cloud.data, uid)) == paid


def test_a_ledger_lost_without_its_results_comes_back_too(cloud: LocalCloud, tmp_path: Path) -> None:
    study = make(tmp_path / "study", criteria=(NAPS,))
    run(study)
    results, paid = (study.home / FOLDER / "results.csv").read_bytes(), served(cloud.data, study.uid)
    for name in (".overnight", FOLDER):
        shutil.rmtree(study.home / name)
    assert study.cli("recover").code == 0
    assert run(study) == 0
    assert ((study.home / FOLDER / "results.csv").read_bytes(), served(cloud.data, study.uid)) == (results, paid)


def test_a_cap_that_lets_only_part_out_ends_as_if_there_were_none(cloud: LocalCloud, tmp_path: Path) -> None:
    free = make(tmp_path / "free")
    run(free)
    worst = Decimal(make(tmp_path / "asked").cli("plan", "--json").json["cost_usd"]["worst"])
    budget = f"budget: {{limit_usd: {worst * Decimal('0.4'):.6f}}}\n"
    capped = make(tmp_path / "capped", more=CLOUD.replace("/overnight", "/capped") + budget)
    run(capped)
    assert len(capped.query("SELECT 1 FROM shard")) > len(free.query("SELECT 1 FROM shard"))
    told = ("record_id", "decision", "why", "decided_by", "agreement", "needs_person_why", "c_night_votes")
    rows = [[[row[name] for name in told] for row in study.results(FOLDER)] for study in (free, capped)]
    assert rows[0] == rows[1]
    ((reserved,),) = capped.query("SELECT max(CAST(reserved_usd AS REAL)) FROM shard")
    assert Decimal(reserved) <= worst * Decimal("0.4")
    assert set(served(cloud.data, capped.uid).values()) == {1}


def test_a_cap_that_ends_between_the_stages_stops_and_goes_on_when_it_is_raised(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    study = make(tmp_path / "study", deep="samples: 3, adjudicate: never")
    run(study)
    ((spent,),) = study.query("SELECT sum(CAST(billed_usd AS REAL)) FROM shard")
    study.deep, study.more = "samples: 3", CLOUD + f"budget: {{limit_usd: {spent + 0.00001:.6f}}}\n"
    study.write()
    refused = study.cli("run", "--yes", "--no-smoke", "--json")
    assert refused.code == 5, refused.err
    assert study.stages() == Counter({"screen": 3 * RECORDS})
    study.more = CLOUD + "budget: {limit_usd: 10}\n"
    study.write()
    assert run(study) == study.stages()["adjudicate"] > 0


@pytest.mark.parametrize("criteria", [(NIGHT, NAPS), (NAPS,)], ids=["two criteria", "one criterion"])
def test_samples_made_by_hand_without_keys_are_adopted_each_as_one_sample(
    cloud: LocalCloud, tmp_path: Path, criteria: tuple[str, ...]
) -> None:
    """Lines of two samples may be alike to the byte: each stands for one of them, and none is asked again."""
    cloud.switch(model_version_suffix="@local-stand-in")
    study = SmallScreen.of(tmp_path / "study", RECORDS, criteria=criteria, deep="samples: 3, adjudicate: never")
    lines = [without_keys(line, 0) for line in requests_of(study, 3 * RECORDS)]
    by_words: dict[str, list[dict[str, object]]] = {}
    for line in lines:
        by_words.setdefault(str(line["request"]["contents"]).partition("<record>")[0], []).append(line)
    assert len(by_words) == len(criteria)
    for one in by_words.values():
        assert study.cli("adopt", "--job", made_by_hand(cloud, one)).code == 0
    ended = study.cli("run", "--json")
    assert (ended.code, ended.json["requests_sent"], ended.json["answers"]) == (0, 0, RECORDS)
    assert study.query("SELECT count(*), count(DISTINCT address) FROM outcome") == [(3 * RECORDS, 3 * RECORDS)]
