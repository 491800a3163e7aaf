"""`when_over: fit`: a random part of the records is sent, as much as the limit holds; the rest when it is raised."""

import csv
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from overnight.planning.fit import Draw
from tests.support.local_cloud import LocalCloud
from tests.support.studies import CLOUD, SmallStudy, outcomes

RECORDS = 60
PRICES = """\
[[price]]
model = "gemini-3.5-flash-lite"
input = "1.00"
output = "0.01"
valid_from = 2026-01-01
checked = 2026-11-20
source = "made up: output is cheap, so that the worst case is a few times what is expected, not fifty times"
"""
MORE = f"{CLOUD}models: prices.toml\n"


@pytest.fixture
def study(tmp_path: Path, google: LocalCloud) -> SmallStudy:
    study = SmallStudy.of(tmp_path / "study", RECORDS, more=MORE)
    (study.home / "prices.toml").write_text(PRICES, encoding="utf-8")
    return study


def limit(study: SmallStudy, amount: Decimal, more: str = ", when_over: fit, seed: 7") -> None:
    study.more = f"{MORE}budget: {{limit_usd: {amount:.6f}{more}}}\n"
    study.write()


def worst(study: SmallStudy) -> Decimal:
    return Decimal(study.cli("plan", "--json").json["cost_usd"]["worst"])


def in_order(study: SmallStudy, seed: int = 7) -> list[str]:
    """Record ids in the order of the draw."""
    draw = Draw(seed)
    return sorted(study.texts, key=lambda id_: draw([study.texts[id_]]))


def sent(study: SmallStudy) -> set[str]:
    return {id_ for id_, end in outcomes(study.results("results")).items() if end == "answer"}


def run(study: SmallStudy, *options: str) -> dict[str, object]:
    ended = study.cli("run", "--no-smoke", "--json", *options)
    assert ended.code == 0, ended.err
    return ended.json


@pytest.fixture
def expected(study: SmallStudy) -> Decimal:
    return Decimal(study.cli("plan", "--json").json["cost_usd"]["expected"])


class TestPart:
    def test_the_first_of_the_draw_go_and_the_rest_is_named(self, study: SmallStudy, expected: Decimal) -> None:
        limit(study, expected / 2)
        planned = study.cli("plan", "--json").json
        n = planned["requests"]["to_send"]
        assert planned["not_sent"] == {"over_budget": RECORDS - n}
        assert RECORDS / 4 < n <= RECORDS / 2, "half the money, and at its end room for one record at its worst"
        assert Decimal(planned["cost_usd"]["expected"]) <= expected / 2
        found = run(study)
        assert sent(study) == set(in_order(study)[:n])
        assert (found["answers"], found["not_sent"], found["open"]) == (n, {"over_budget": RECORDS - n}, 0)
        assert found["sample"] == {"seed": 7, "records_sent": n, "of": RECORDS, "simple_random": True}
        assert Counter(outcomes(study.results("results")).values()) == {"answer": n, "over_budget": RECORDS - n}

    def test_summary_plan_and_report_say_what_it_is(self, study: SmallStudy, expected: Decimal) -> None:
        limit(study, expected / 2)
        assert "not sent: over budget (drawn by seed 7, short and long alike)" in study.cli("plan").out
        told = study.cli("run", "--no-smoke")
        assert "a simple random sample of them" in told.out
        report = (study.home / "results" / "report.html").read_text("utf-8")
        assert "a simple random sample of them, drawn by a digest of the seed 7" in report

    def test_more_money_sends_more_of_the_same_order_and_nothing_twice(
        self, study: SmallStudy, expected: Decimal, google: LocalCloud
    ) -> None:
        before = google.journal()["counts"]["served"]
        limit(study, expected / 3)
        run(study)
        first = sent(study)
        assert 0 < len(first) < RECORDS
        limit(study, expected * 2 / 3)
        run(study)
        second = sent(study)
        assert first < second < set(study.texts)
        assert second == set(in_order(study)[: len(second)])
        limit(study, expected * 50)
        found = run(study)
        assert (found["answers"], found["not_sent"]) == (RECORDS, {})
        assert google.journal()["counts"]["served"] == before + RECORDS, "each once"

    def test_new_records_take_their_places_and_move_nobody(self, study: SmallStudy, expected: Decimal) -> None:
        limit(study, expected / 3)
        run(study)
        first = sent(study)
        study.texts = {f"new{n}": f"Another ward {n:04d} napped." for n in range(40)} | study.texts
        limit(study, expected)
        found = run(study)
        assert first <= sent(study)
        assert sent(study) == set(in_order(study)[: len(sent(study))])
        assert found["sample"]["simple_random"] is True  # type: ignore[index]

    def test_the_order_of_rows_and_their_ids_do_not_matter(self, study: SmallStudy, expected: Decimal) -> None:
        limit(study, expected / 2)
        before = study.cli("plan", "--json").json["requests"]["to_send"]
        texts = list(study.texts.values())
        study.texts = {f"x{n}": text for n, text in enumerate(reversed(texts))}
        study.write()
        run(study)
        assert {study.texts[id_] for id_ in sent(study)} == {study.texts[id_] for id_ in in_order(study)[:before]}

    def test_equal_texts_go_together_for_the_price_of_one(self, study: SmallStudy, expected: Decimal) -> None:
        study.texts |= {f"twin{n}": text for n, text in enumerate(list(study.texts.values()))}
        limit(study, expected / 2)
        found = run(study)
        twins = {study.texts[id_] for id_ in sent(study)}
        assert len(sent(study)) == 2 * len(twins) == 2 * found["requests_sent"]  # type: ignore[operator]

    def test_in_tranches_too_what_was_sent_is_the_head_of_the_draw(
        self, study: SmallStudy, expected: Decimal, google: LocalCloud
    ) -> None:
        """Were the run to stop here for good, it would leave a sample and not the top of the table."""
        google.switch(stuck_pending=True)
        whole = worst(study)
        limit(study, max(whole / 6, expected * Decimal("1.2")))
        left = study.cli("run", "--no-smoke", "--detach", "--json").json
        assert 0 < left["requests_sent"] < RECORDS
        rows = study.query("SELECT address FROM sent")
        bound = {
            row[0] for row in study.query("SELECT record_id FROM binding WHERE address IN (SELECT address FROM sent)")
        }
        assert len(rows) == left["requests_sent"]
        assert bound == set(in_order(study)[: len(bound)])
        assert (left["open"], left["not_sent"]) == (RECORDS, {}), "the rest waits, it is not left out"
        google.switch(stuck_pending=False)
        assert run(study)["answers"] == RECORDS

    def test_a_retry_comes_before_a_new_record(self, study: SmallStudy, expected: Decimal) -> None:
        limit(study, expected / 3)
        run(study)
        first = sent(study)
        one = min(first)
        assert study.cli("forget", "--record", one).code == 0
        limit(study, expected / 3 + Decimal("0.000002"))
        ended = study.cli("plan", "--json").json
        assert ended["reasons"].get("forget") == 1


class TestEdges:
    def test_when_all_of_it_fits_nothing_is_left_out(self, study: SmallStudy, expected: Decimal) -> None:
        limit(study, expected * 100)
        found = run(study)
        assert (found["answers"], found["not_sent"]) == (RECORDS, {})
        assert "random sample" not in (study.home / "results" / "report.html").read_text("utf-8")

    def test_a_limit_that_holds_not_one_record_is_an_error(self, study: SmallStudy) -> None:
        limit(study, Decimal("0.000001"))
        ended = study.cli("run", "--no-smoke", "--json")
        assert (ended.code, ended.json["requests_sent"]) == (5, 0)
        assert "none of the 60 records fits" in ended.err

    def test_run_again_with_nothing_left_is_no_error_and_sends_nothing(
        self, study: SmallStudy, expected: Decimal
    ) -> None:
        limit(study, expected / 2)
        for _ in range(8):  # what bills left over may hold a few more each time
            found = run(study)
            if not found["requests_sent"]:
                break
        assert (found["requests_sent"], found["open"]) == (0, 0)
        assert found["sample"]["simple_random"] is True  # type: ignore[index]

    def test_max_usd_fits_as_well_and_the_next_run_sends_the_rest(self, study: SmallStudy, expected: Decimal) -> None:
        limit(study, expected * 100)
        cap = expected / 2
        found = run(study, "--max-usd", f"{cap:.6f}")
        assert 0 < found["answers"] < RECORDS  # type: ignore[operator]
        assert Decimal(str(found["cost_usd"])) <= cap
        assert run(study)["answers"] == RECORDS

    def test_records_sent_before_the_draw_make_it_no_random_sample(self, study: SmallStudy, expected: Decimal) -> None:
        texts = dict(study.texts)
        last = in_order(study)[-1]
        study.texts = {last: texts[last]}
        limit(study, expected, more="")
        run(study)
        study.texts = texts
        limit(study, expected / 2)
        found = run(study)
        assert found["sample"]["simple_random"] is False  # type: ignore[index]
        assert "no random sample" in (study.home / "results" / "report.html").read_text("utf-8")

    def test_status_and_export_know_what_was_left_out(self, study: SmallStudy, expected: Decimal) -> None:
        limit(study, expected / 2)
        n = run(study)["answers"]
        assert study.cli("status", "--json").json["not_sent"] == {"over_budget": RECORDS - n}  # type: ignore[operator]
        target = study.home / "again.csv"
        assert study.cli("export", "--to", str(target)).code == 0
        with target.open(newline="", encoding="utf-8-sig") as file:
            assert Counter(row["problem"] for row in csv.DictReader(file))["over_budget"] == RECORDS - n  # type: ignore[operator]

    def test_the_smoke_test_has_its_room(self, study: SmallStudy, expected: Decimal) -> None:
        limit(study, expected * Decimal("0.9") + Decimal("0.2"))
        ended = study.cli("run", "--json")
        assert ended.code == 0, ended.err
        assert Decimal(ended.json["smoke_usd"]) > 0
