"""A screen's prompts in a study's life: pinned, replaced, taken anew; and a study begun by the version before."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from overnight.core.recipe import Recipe
from overnight.planning import instructions, screening
from overnight.study import screen_recipes
from overnight.study.wording import Name, Wording, wording
from tests.support.local_cloud import LocalCloud
from tests.support.screen_before import recipe_before
from tests.support.studies import SmallStudy

SCREEN = """\
study: naps
records: {files: [records.csv], id: id, text: [text]}
screen:
  question: Do planned naps help?
  include:
    - {id: naps, ask: A planned nap was taken.}
    - {id: night, ask: They worked on a night shift.}
model: {name: gemini-3.5-flash-lite, thinking: low}
"""
RECORDS = 4


@pytest.fixture
def cloud(child: LocalCloud) -> LocalCloud:
    return child


class Prompted(SmallStudy):
    """more: put behind `screen:`, on lines of its own."""

    def write(self) -> None:
        super().write()
        self.path.write_text(SCREEN.replace("screen:\n", f"screen:\n{self.more}"), encoding="utf-8")

    def own(self, words: str) -> None:
        (self.home / "mine.txt").write_text(words, encoding="utf-8")
        self.more = "  prompts: {screen: mine.txt}\n"
        self.write()

    def systems(self) -> list[str]:
        """Of the recipes that were sent with, the first one first."""
        rows = self.query("SELECT r.body FROM recipe r JOIN shard s ON s.recipe = r.digest ORDER BY s.id")
        return [json.loads(body)["system"] for (body,) in rows]


@pytest.fixture
def study(tmp_path: Path, cloud: LocalCloud) -> Prompted:
    return Prompted.of(tmp_path / "study", RECORDS)


def reworded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later version of the package, with other words in screen.txt."""

    def other(name: Name) -> Wording:
        return Wording(name, "Judge with other words.") if name == "screen" else wording(name)

    for room in (screen_recipes, instructions):
        monkeypatch.setattr(room, "wording", other)


def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The version before several samples: other words, a schema without a decision, no framing."""
    real: Callable[..., Recipe] = recipe_before
    monkeypatch.setattr(screening, "screen_recipe", lambda *arguments: real(*arguments[:5]))


def test_another_text_of_the_package_leaves_a_study_alone_until_it_is_asked_for(
    study: Prompted, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert study.cli("run", "--json").json["requests_sent"] == RECORDS
    reworded(monkeypatch)
    assert study.cli("run", "--json").json["requests_sent"] == 0
    assert "the study began with it" in study.cli("prompts").out
    planned = study.cli("plan", "--new-recipe", "--json").json
    assert planned["reasons"] == {"wording_changed": RECORDS}
    assert planned["asked_again"]["wording_changed"]["wasted_usd"] != "0"
    assert study.cli("run", "--new-recipe").code == 6
    ended = study.cli("run", "--new-recipe", "--pay-again", "--json")
    assert (ended.code, ended.json["requests_sent"]) == (0, RECORDS)
    first, second = study.systems()
    assert first == f"{wording('screen').text}\n\n{wording('untrusted').text}"
    assert second == f"Judge with other words.\n\n{wording('untrusted').text}"
    assert "the study began with it" not in study.cli("prompts").out


def test_a_prompt_of_the_studys_own_is_a_prompt_that_changed_and_is_paid_again_only_when_agreed_to(
    study: Prompted,
) -> None:
    study.cli("run")
    study.own("Judge it in my words.\n")
    planned = study.cli("plan")
    assert f"{RECORDS} requests to send: the prompt changed; their answers cost" in planned.out
    refused = study.cli("run")
    assert refused.code == 6
    assert "because the prompt changed" in refused.err
    ended = study.cli("run", "--pay-again", "--json")
    assert (ended.code, ended.json["requests_sent"], ended.json["answers"]) == (0, RECORDS, RECORDS)
    assert study.systems()[-1] == f"Judge it in my words.\n\n{wording('untrusted').text}"
    assert "screen's own" not in study.cli("prompts").out
    assert "(the study's own)" in study.cli("prompts").out
    study.own("Judge it in my words.\r\n\n")
    assert study.cli("run", "--json").json["requests_sent"] == 0, "line ends are no words"


def test_the_studys_own_prompt_stays_in_force_when_the_packages_words_change(
    study: Prompted, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.own("Judge it in my words.")
    study.cli("run")
    reworded(monkeypatch)
    assert study.cli("plan", "--new-recipe", "--json").json["requests"]["to_send"] == 0


def test_a_copy_of_the_packages_prompt_sends_nothing(study: Prompted) -> None:
    study.cli("run")
    assert study.cli("prompts", "--to", str(study.home)).code == 0
    study.more = "  prompts: {screen: screen.txt}\n"
    study.write()
    assert study.cli("run", "--json").json["requests_sent"] == 0


def test_a_study_begun_by_the_version_before_keeps_its_words_and_publishes(
    study: Prompted, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        as_before(earlier)
        assert study.cli("run", "--json").json["requests_sent"] == RECORDS
    again = study.cli("run", "--json")
    assert (again.code, again.json["requests_sent"], again.json["answers"]) == (0, 0, RECORDS)
    for row in study.results():
        assert row["decision"] in ("include", "exclude", "unclear")
        assert (row["decided_by"], row["agreement"]) == ("rule", "1 of 1")
        assert (row["model_decision"], row["rationale"]) == ("", "")
    assert {row["c_naps"] for row in study.results()} <= {"met", "not_met", "not_stated", "unclear"}
    assert study.cli("plan", "--new-recipe", "--json").json["requests"]["to_send"] == RECORDS


def test_a_study_begun_by_the_version_before_pays_for_the_samples_it_adds_alone(
    study: Prompted, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        as_before(earlier)
        study.cli("run")
    with study.path.open("a", encoding="utf-8") as file:
        file.write("deep_think: {samples: 3, adjudicate: never}\n")
    ended = study.cli("run", "--json")
    assert (ended.code, ended.json["requests_sent"]) == (0, 2 * RECORDS)
    assert {row["agreement"][-4:] for row in study.results()} == {"of 3"}


class TestTheCommand:
    def test_what_the_package_has_and_what_the_study_asks_with(self, study: Prompted) -> None:
        said = study.cli("prompts").out
        assert f"screen           {wording('screen').digest[:12]}" in said
        short = [wording(name).digest[:12] for name in ("screen", "untrusted")]
        assert f"naps asks with:\n  screen           screen {short[0]} + untrusted {short[1]}\n" in said
        found = study.cli("prompts", "--json").json
        assert found["package"]["untrusted"] == wording("untrusted").digest
        assert [piece["whose"] for piece in found["study"][0]["pieces"]] == ["package", "package"]
        assert not study.ledger.exists(), "looking makes nothing"

    def test_whole_texts_when_asked_for(self, study: Prompted) -> None:
        said = study.cli("prompts", "--text").out
        assert wording("framing_for").text in said
        assert wording("untrusted").text in said

    def test_copies_are_written_once_and_never_over_anything(self, study: Prompted, tmp_path: Path) -> None:
        folder = tmp_path / "new" / "prompts"
        assert study.cli("prompts", "--to", str(folder)).code == 0
        assert (folder / "screen.txt").read_text("utf-8").rstrip("\n") == wording("screen").text
        (folder / "screen.txt").unlink()
        (folder / "adjudicate.txt").write_text("mine")
        refused = study.cli("prompts", "--to", str(folder))
        assert (refused.code, "is there already" in refused.err) == (2, True)
        assert (folder / "adjudicate.txt").read_text() == "mine"
        assert not (folder / "screen.txt").exists(), "nothing is written where not all can be"
        assert study.cli("prompts", "--to", str(study.path)).code == 2

    def test_a_study_with_findings_is_told_and_copies_need_none(self, study: Prompted, tmp_path: Path) -> None:
        study.more = "  prompts: {screen: prompts/screen.txt}\n"
        study.write()
        assert study.cli("prompts").code == 3
        assert study.cli("prompts", "--to", str(study.home / "prompts")).code == 0
        assert study.cli("prompts").code == 0

    def test_plan_shows_each_instruction_whole_the_adjudicators_too(self, study: Prompted) -> None:
        with study.path.open("a", encoding="utf-8") as file:
            file.write("deep_think: {samples: 2, framings: [neutral, for]}\n")
        said = study.cli("plan", "--show", "1").out
        assert f"--- stage adjudicate, system instruction: adjudicate {wording('adjudicate').digest[:12]} + " in said
        assert "<reviewers>\n<arguments>\n</reviewers>" in said
        for name in ("screen", "adjudicate", "framing_for", "untrusted"):
            assert wording(name).text in said  # type: ignore[arg-type]
        assert "--- stage" not in study.cli("plan").out
