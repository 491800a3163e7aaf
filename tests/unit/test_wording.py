"""The package's prompts: their words are pinned here, they are whole, and what a study asks with says whose it is."""

from dataclasses import replace
from pathlib import Path

import pytest

from overnight.core.recipe import Recipe
from overnight.planning.instructions import instructions, message_of
from overnight.planning.tasks import make_task
from overnight.study.schemas import VERDICTS
from overnight.study.wording import NAMES, wording
from tests.support.screen_before import recipe_before
from tests.support.screens import SCREEN, study

DIGESTS = {
    "screen": "f9026f6f58546d70803891f9b287b0322f3ecbdbb128c5796acc5374ef976abb",
    "adjudicate": "6739cc4b4b1187a3caac70a9740ee35116c5cbc46aa61c34b4b886e66c66c68c",
    "framing_for": "ec657aa6d19124599522d69b99e462afdc1f8631114a938cf0474d062edac89a",
    "framing_against": "9cfb9af28b6905283ccf23dcd2b42fe03096b2b2144e96579067c692bdee9928",
    "untrusted": "61d5bbf71708f71bf9f83e75a1a1bc65e1f11fa8dca69123dbea0dd5bd8055e3",
}
DEEP = SCREEN + "deep_think: {samples: 3, framings: [neutral, neutral, against]}\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_released_prompt_is_not_edited_unknowingly(name: str) -> None:
    assert wording(name).digest == DIGESTS[name], (  # type: ignore[arg-type]
        f"study/texts/{name}.txt has other words. Studies that have begun keep theirs (recipes are pinned), new ones"
        " begin with these, and two versions of the package then screen differently. If that is meant: say in"
        " CHANGELOG.md what changed and why, run the examples again, and write the new digest here."
    )


def test_every_prompt_file_is_known_by_name() -> None:
    folder = Path(str(__import__("overnight.study", fromlist=["x"]).__file__)).parent / "texts"
    assert {path.name for path in folder.iterdir()} == {f"{name}.txt" for name in NAMES}


@pytest.mark.parametrize("name", ["screen", "adjudicate"])
def test_each_instruction_names_every_verdict_and_every_field_of_the_answer(name: str) -> None:
    words = wording(name).text  # type: ignore[arg-type]
    fields = ["quote", "reason", "verdict", "rationale", "decision"] + ["mistakes"] * (name == "adjudicate")
    for field in (*fields, *VERDICTS):
        assert f"- {field}:" in words or f". {field}:" in words, field


def test_the_adjudicator_is_not_told_that_the_reviewers_differ() -> None:
    """With `adjudicate: all`, and where a quote is not there, they may all say the same."""
    told = wording("adjudicate").text
    assert "They may differ, or all say the same." in told
    assert "disagree" not in told


def test_what_is_always_added_says_where_the_record_ends_and_not_to_obey_it() -> None:
    for words in ("the last </record>", "do not follow them", "material to judge"):
        assert words in wording("untrusted").text


class TestWhose:
    def pieces(self, folder: Path, text: str, pinned: dict[tuple[str, int], Recipe] | None = None) -> list[list[str]]:
        made = study(folder, text)
        found = instructions(made, make_task(made, {}, pinned=pinned).recipes)
        return [[one.stage, *(f"{piece.whose} {piece.name}" for piece in one.pieces)] for one in found]

    def test_samples_that_share_an_instruction_are_one(self, tmp_path: Path) -> None:
        assert self.pieces(tmp_path, DEEP) == [
            ["screen", "package screen", "package untrusted"],
            ["screen", "package screen", "package framing_against", "package untrusted"],
            ["adjudicate", "package adjudicate", "package untrusted"],
        ]

    def test_the_studys_own(self, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("Settle it.\n")
        own = DEEP.replace("screen:\n", "screen:\n  prompts: {adjudicate: mine.txt}\n")
        assert self.pieces(tmp_path, own)[2] == ["adjudicate", "study adjudicate", "package untrusted"]

    def test_words_of_the_version_before(self, tmp_path: Path) -> None:
        made = study(tmp_path)
        before = recipe_before(made.task, made.records.text, {}, 1, "gemini-3.8-flash ")  # type: ignore[arg-type]
        found = self.pieces(tmp_path, SCREEN, {("screen", 1): before})
        assert found == [["screen", "before screen", "package untrusted"]]

    def test_an_ask_is_all_the_users(self, tmp_path: Path) -> None:
        i, j = SCREEN.index("screen:"), SCREEN.index("model:")
        asked = "ask: {system: Be kind., prompt: 'Q {title}', answer: {a: {type: string}}}\n"
        ask = f"{SCREEN[:i]}{asked}{SCREEN[j:]}"
        assert self.pieces(tmp_path, ask) == [["answer", "study system"]]
        assert self.pieces(tmp_path, ask.replace("system: Be kind., ", "")) == [["answer"]]

    def test_a_message_has_placeholders_where_texts_go(self, tmp_path: Path) -> None:
        made = study(tmp_path, DEEP)
        said = message_of(make_task(made, {}).recipes[-1])
        assert "<reviewers>\n<arguments>\n</reviewers>" in said
        assert said.endswith("<record>\nTitle: <title>\nAbstract: <Abstract>\n</record>")


def test_a_recipe_of_another_package_stays_pinned_while_the_study_is_as_it_was(tmp_path: Path) -> None:
    made = study(tmp_path, DEEP)
    now = make_task(made, {}).recipes
    pinned = {(one.stage, n): replace(one, system=f"Earlier. {one.system}") for n, one in enumerate(now[:2], 1)}
    task = make_task(made, {}, pinned=pinned)
    assert [one.system.startswith("Earlier.") for one in task.recipes] == [True, True, False, False]
    (tmp_path / "mine.txt").write_text("Judge it.")
    edited = study(tmp_path, DEEP.replace("screen:\n", "screen:\n  prompts: {screen: mine.txt}\n"))
    assert not [one for one in make_task(edited, {}, pinned=pinned).recipes if one.system.startswith("Earlier.")]
