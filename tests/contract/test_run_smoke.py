"""Two rows are asked at once before a study's first job on Google: what it costs, what stops a run, what does not."""

import contextlib
import signal
import subprocess
import sys
import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from overnight.core.usage import Usage
from overnight.errors import RefusedError
from overnight.pricing import PriceList, Tables, cost, packaged_models, packaged_prices
from overnight.wiring import models
from tests.support import google_cli
from tests.support.between import Reply, stand_between
from tests.support.calls import Calls
from tests.support.cloud import jobs_by_label
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.studies import CLOUD, SmallStudy

RECORDS = 24
MODEL = "gemini-3.5-flash-lite"


@pytest.fixture
def study(tmp_path: Path, google: LocalCloud) -> SmallStudy:
    return SmallStudy.of(tmp_path / "study", RECORDS, more=CLOUD)


def rows(study: SmallStudy) -> list[tuple[Any, ...]]:
    """(passed, kind, reserved, kept, billed) of each row that was asked at once."""
    found = study.query("SELECT passed, kind, reserved_usd, kept_usd, billed_usd FROM smoke ORDER BY id")
    amounts = [tuple(None if one is None else Decimal(one) for one in row[2:]) for row in found]
    return [(*row[:2], *amount) for row, amount in zip(found, amounts, strict=True)]


def committed(study: SmallStudy) -> Decimal:
    """Spent and reserved, of jobs and of rows asked at once, as the ledger has it at this moment."""
    jobs = study.query(
        "SELECT CASE WHEN state IN ('collected', 'abandoned') THEN billed_usd ELSE reserved_usd END, kept_usd"
        " FROM shard WHERE realm = 'google'"
    )
    asked = study.query("SELECT coalesce(reserved_usd, billed_usd), kept_usd FROM smoke WHERE realm = 'google'")
    return sum((Decimal(one) for row in jobs + asked for one in row if one is not None), Decimal())


def nothing_was_sent(google: LocalCloud, study: SmallStudy) -> bool:
    return not jobs_by_label(google, study.uid) and study.query("SELECT count(*) FROM shard") == [(0,)]


def with_text(reply: Reply, text: str) -> Reply:
    candidate = {**reply["candidates"][0], "content": {"role": "model", "parts": [{"text": text}]}}
    return {**reply, "candidates": [candidate]}


class TestMoney:
    def test_two_rows_are_asked_and_billed_at_the_standard_price_and_used_for_nothing(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        calls = Calls(google, "generate")
        ended = study.cli("run", "--yes", "--json")
        assert (ended.code, calls.seen) == (0, 2), ended.err
        assert ended.json["answers"] == ended.json["requests_sent"] == RECORDS
        assert study.query("SELECT count(*) FROM outcome") == [(RECORDS,)]

        billed = Decimal()
        for prompt, cached, thinking, answer, day in study.query(
            "SELECT prompt_tokens, cached_tokens, thinking_tokens, answer_tokens, ended FROM smoke"
        ):
            standard = packaged_prices().price(MODEL, date.fromisoformat(day[:10]), "standard")
            assert standard is not None
            billed += cost(Usage(prompt, cached, thinking, answer), standard).amount
        assert [row[:4] for row in rows(study)] == [(1, None, None, None)] * 2
        assert billed == Decimal(ended.json["smoke_usd"]) > 0
        ((job,),) = study.query("SELECT billed_usd FROM shard")
        assert Decimal(ended.json["cost_usd"]) == billed + Decimal(job)
        assert f"if all {RECORDS} requests are like these, the job costs about $" in ended.err
        assert "of it for rows asked before a job" in study.cli("status").out
        report = (study.home / "results" / "report.html").read_text(encoding="utf-8")
        assert "gemini-3.5-flash-lite, asked before a job" in report

    def test_the_question_names_it_and_a_no_asks_nothing(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import overnight.cli.ask

        questions: list[str] = []
        monkeypatch.setattr(overnight.cli.ask, "asker", lambda *_, **__: lambda text: bool(questions.append(text)))
        calls = Calls(google, "generate")
        assert study.cli("run").code == 6
        assert (calls.seen, nothing_was_sent(google, study), rows(study)) == (0, True, [])
        (question,) = questions
        assert " (and two of them at once before, at most $" in question
        assert "`run` first asks two of them at once, at the standard price: at most $" in study.cli("plan").out
        assert Decimal(study.cli("plan", "--json").json["smoke_worst_usd"]) > 0

    def test_what_is_reserved_and_billed_never_passes_the_limit(
        self, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        worst = Decimal(study.cli("plan", "--json").json["cost_usd"]["worst"])
        limit = (worst / 3).quantize(Decimal("0.000001"))
        study.more = f"{CLOUD}budget: {{limit_usd: {limit}}}\n"
        study.write()
        seen: list[tuple[str, Decimal]] = []
        stand_between(monkeypatch, before=lambda call: seen.append((call, committed(study))))
        ended = study.cli("run", "--json")
        assert (ended.code, ended.json["answers"]) == (0, RECORDS), ended.err
        assert [call for call, _ in seen][:2] == ["generate", "generate"]
        assert [call for call, _ in seen].count("submit") == len(ended.json["jobs"]) >= 3
        assert all(0 < amount <= limit for _, amount in seen), f"{seen} against {limit}"
        assert Decimal(ended.json["budget_usd"]["spent"]) == Decimal(ended.json["cost_usd"]) <= limit

    def test_a_limit_without_room_for_it_is_kept_and_the_run_goes_on(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        amounts = study.cli("plan", "--json").json["cost_usd"]
        limit = max(Decimal(amounts["expected"]) * Decimal("1.01"), Decimal(amounts["worst"]) / RECORDS * 2)
        calls = Calls(google, "generate")
        ended = study.cli("run", "--max-usd", f"{limit:.6f}", "--json")
        assert ended.json["requests_sent"], ended.err
        assert calls.seen == 0
        assert "no smoke test: it may cost $" in ended.err

    def test_without_a_standard_price_none_is_made_and_it_says_so(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        known = PriceList(tuple(row for row in packaged_prices() if row.mode == "batch"))
        monkeypatch.setattr(models, "packaged_tables", lambda: Tables(packaged_models(), known))
        calls = Calls(google, "generate")
        ended = study.cli("run", "--yes", "--json")
        assert (ended.code, ended.json["answers"], calls.seen) == (0, RECORDS, 0), ended.err
        assert "no source states what gemini-3.5-flash-lite costs outside a job" in ended.err


class TestOnce:
    def test_a_recipe_that_passed_is_not_asked_again(self, google: LocalCloud, study: SmallStudy) -> None:
        calls = Calls(google, "generate")
        google.switch(fail_job="Internal error encountered.")
        assert study.cli("run", "--yes", "--detach").code == 0
        study.texts |= {"late": "A record that came late: guards who napped."}
        study.write()
        assert study.cli("run", "--yes").code == 0
        assert calls.seen == 2

        study.question = "Who slept?"
        study.write()
        assert study.cli("run", "--yes", "--pay-again").code == 0
        assert calls.seen == 4, "another recipe is another request"

    def test_a_job_that_brought_lines_back_has_shown_more(self, google: LocalCloud, study: SmallStudy) -> None:
        calls = Calls(google, "generate")
        assert study.cli("run", "--yes", "--no-smoke").code == 0
        study.texts |= {"late": "A record that came late: guards who napped."}
        study.write()
        ended = study.cli("run", "--yes", "--json")
        assert (ended.json["answers"], calls.seen) == (RECORDS + 1, 0)

    def test_the_stand_in_is_asked_nothing_before(self, google: LocalCloud, study: SmallStudy) -> None:
        google.switch(model_version_suffix="@local-stand-in")
        study.more = ""
        study.write()
        calls = Calls(google, "generate")
        ended = study.cli("run", "--json")
        assert (ended.json["answers"], ended.json["smoke_usd"], calls.seen) == (RECORDS, "0", 0)


class TestRefusals:
    @pytest.mark.parametrize(("code", "words"), [(403, "roles/aiplatform.user"), (404, "models-and-prices.md")])
    def test_no_right_and_no_model_stop_before_anything_is_sent(
        self, google: LocalCloud, study: SmallStudy, code: int, words: str
    ) -> None:
        message = "Permission 'aiplatform.endpoints.predict' denied" if code == 403 else "Publisher Model not found"
        with Plans(google) as plans:
            plans.add("no", "status", {"code": code, "message": message}, {"calls": ["generate"]})
            ended = study.cli("run", "--yes", "--json")
            assert (ended.code, nothing_was_sent(google, study)) == (8, True)
            assert plans.strikes("no") == 1, "the second row would say the same"
        assert message in ended.err
        assert words in ended.err
        assert "--no-smoke" in ended.err
        assert rows(study) == [(0, "refused", None, None, None)]

    def test_a_request_that_is_refused_twice_stops(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(number: int, reply: Reply) -> Reply:
            raise RefusedError("Google refused: response_schema.properties[who]: bad (400 INVALID_ARGUMENT)", code=400)

        stand_between(monkeypatch, reply=refuse)
        ended = study.cli("run", "--yes")
        assert (ended.code, nothing_was_sent(google, study)) == (8, True)
        assert "response_schema.properties[who]: bad" in ended.err
        assert rows(study) == [(0, "refused", None, None, None)] * 2

    def test_one_row_that_is_refused_is_a_warning(self, study: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse_first(number: int, reply: Reply) -> Reply:
            if number == 0:
                raise RefusedError("Google refused: too long (400 INVALID_ARGUMENT)", code=400)
            return reply

        stand_between(monkeypatch, reply=refuse_first)
        ended = study.cli("run", "--yes", "--json")
        assert (ended.code, ended.json["answers"]) == (0, RECORDS)
        assert "warning: smoke test, record r0: Google refused: too long" in ended.err

    def test_a_stand_in_in_the_place_of_google_is_refused(self, google: LocalCloud, study: SmallStudy) -> None:
        google.switch(model_version_suffix="@local-stand-in")
        ended = study.cli("run", "--yes")
        assert (ended.code, nothing_was_sent(google, study)) == (8, True)
        assert "gemini-3.5-flash-lite@local-stand-in answered: a stand-in, not Google" in ended.err

    def test_another_model_than_asked_is_named(self, study: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
        stand_between(monkeypatch, reply=lambda _, reply: {**reply, "modelVersion": "gemini-3.5-flash"})
        ended = study.cli("run", "--yes", "--json")
        assert ended.code == 0
        assert "gemini-3.5-flash-lite was asked for, and gemini-3.5-flash answered" in ended.err
        dearer = {row[4] for row in rows(study)}
        assert all(amount > 0 for amount in dearer), "billed at the price of what served"


class TestAnswers:
    def test_two_answers_that_are_none_stop_with_what_came_back(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bad = ('{"who": "nurses"', '{"who": "nurses", "naps": "often", "people": 3}\x1b[31m')
        stand_between(monkeypatch, reply=lambda number, reply: with_text(reply, bad[number]))
        ended = study.cli("run", "--yes")
        assert (ended.code, nothing_was_sent(google, study)) == (11, True)
        assert "no row that was asked at once came back as asked for" in ended.err
        assert '{\\"who\\": \\"nurses\\"' in ended.err, "the raw reply"
        assert "\x1b" not in ended.err
        assert "--no-smoke" in ended.err
        assert [row[1] for row in rows(study)] == ["malformed", "invalid"]
        assert all(row[4] > 0 for row in rows(study)), "they are paid for all the same"

    def test_one_of_two_is_a_warning(self, study: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
        stand_between(monkeypatch, reply=lambda number, reply: with_text(reply, "no JSON") if number else reply)
        ended = study.cli("run", "--yes", "--json")
        assert (ended.code, ended.json["answers"]) == (0, RECORDS)
        assert "warning: smoke test, record r1: malformed" in ended.err
        assert [row[0] for row in rows(study)] == [1, 0]

    def test_answers_cut_at_the_token_limit_stop(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def cut(number: int, reply: Reply) -> Reply:
            return {**reply, "candidates": [{**reply["candidates"][0], "finishReason": "MAX_TOKENS"}]}

        stand_between(monkeypatch, reply=cut)
        assert (study.cli("run", "--yes").code, nothing_was_sent(google, study)) == (11, True)

    def test_blocked_prompts_are_said_and_stop_nothing(
        self, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def block(number: int, reply: Reply) -> Reply:
            usage = {"promptTokenCount": 9}
            return {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": usage, "modelVersion": MODEL}

        stand_between(monkeypatch, reply=block)
        ended = study.cli("run", "--yes", "--json")
        assert (ended.code, ended.json["answers"]) == (0, RECORDS)
        assert "smoke test, record r0: blocked" in ended.err

    def test_records_added_beside_a_job_under_way_are_not_sent_after_all_when_they_fail(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        google.switch(pending_s=1)
        assert study.cli("run", "--yes", "--detach", "--no-smoke").code == 0
        study.texts |= {"late": "A record that came late: guards who napped."}
        study.more = CLOUD.replace("location: global", "location: us")  # a place that has shown nothing yet
        study.write()
        stand_between(monkeypatch, reply=lambda _, reply: with_text(reply, "no JSON"))
        ended = study.cli("run", "--yes", "--json")
        assert (ended.code, ended.json["answers"], ended.json["requests_sent"]) == (11, RECORDS, 0)

    def test_no_smoke_sends_all_the_same(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stand_between(monkeypatch, reply=lambda _, reply: with_text(reply, "no JSON"))
        ended = study.cli("run", "--yes", "--no-smoke", "--json")
        assert (ended.code, ended.json["answers"], rows(study)) == (0, RECORDS, [])


class TestNoReply:
    @pytest.mark.parametrize(("code", "kept"), [(429, False), (503, True), (408, True)])
    def test_a_service_that_is_busy_or_down_is_no_reason_to_stop(
        self, google: LocalCloud, study: SmallStudy, code: int, kept: bool
    ) -> None:
        with Plans(google) as plans:
            plans.add("tired", "status", {"code": code}, {"calls": ["generate"]})
            ended = study.cli("run", "--max-usd", "5", "--json")
            assert plans.strikes("tired") == 2, "each row is asked once, whatever comes back"
        assert (ended.code, ended.json["answers"]) == (0, RECORDS), ended.err
        assert "warning: smoke test, record r0: " in ended.err
        assert [row[2] for row in rows(study)] == [None, None]
        assert [bool(row[3]) for row in rows(study)] == [kept, kept], "what may have been answered stays reserved"

    def test_a_lost_reply_counts_against_the_budget(self, google: LocalCloud, study: SmallStudy) -> None:
        study.more = f"{CLOUD}budget: {{limit_usd: 5}}\n"
        study.write()
        with Plans(google) as plans:
            plans.add("lost", "reset_after", scope={"calls": ["generate"]}, when={"times": 1})
            ended = study.cli("run", "--json")
        assert (ended.code, ended.json["answers"]) == (0, RECORDS), ended.err
        (lost, other) = rows(study)
        assert lost[3] == Decimal(ended.json["budget_usd"]["reserved"]) > 0
        assert other[0] == 1

    def test_ctrl_c_keeps_the_reservation(
        self, google: LocalCloud, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stop(number: int, reply: Reply) -> Reply:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            stand_between(patch, reply=stop)
            assert study.cli("run", "--yes").code == 130
        ((passed, _, reserved, kept, billed),) = rows(study)
        assert (passed, kept, billed) == (None, None, None)
        assert reserved > 0

    def test_a_run_that_is_killed_while_it_asks_keeps_the_reservation_and_the_next_one_counts_its_own(
        self, google: LocalCloud, study: SmallStudy
    ) -> None:
        words = [sys.executable, google_cli.__file__, "--endpoint", google.endpoint, "--", "run", str(study.path)]
        with Plans(google) as plans:
            plans.add("silent", "stalled", {"for_s": 20}, {"calls": ["generate"]}, {"times": 1})
            with subprocess.Popen(
                [*words, "--yes"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as process:
                deadline = time.monotonic() + 20
                while not plans.strikes("silent") and time.monotonic() < deadline:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(0.05)  # between two questions; the loop ends on the answer
                assert plans.strikes("silent") == 1
                process.send_signal(signal.SIGKILL)
        ((passed, _, reserved, _, _),) = rows(study)
        assert passed is None
        ended = study.cli("run", "--max-usd", "5", "--json")
        assert (ended.code, ended.json["answers"]) == (0, RECORDS), ended.err
        assert "its reply never came: $" in ended.err
        assert [row[0] for row in rows(study)] == [None, 1, 1]
        assert committed(study) == reserved + Decimal(ended.json["cost_usd"])
