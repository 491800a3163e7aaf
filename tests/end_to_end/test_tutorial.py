"""The tutorial, typed as it stands: every command, file and change in its order; what the page shows is printed."""

import csv
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.person import Person, csv_rows
from tests.support.tutorial import Step, reader_in, steps, words_of

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-screening-study.md"
FILES = sorted(PAGE.parent.glob("*.ris"))
RECORDS, DUPLICATES, NO_ABSTRACT = 250, 15, 10
ASKED = RECORDS - DUPLICATES - NO_ABSTRACT
PILOT = 50

Played = list[tuple[Step, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tutorial") / "desk"


@pytest.fixture(scope="module")
def played(folder: Path) -> Played:
    reader = reader_in(folder, FILES)
    return [(step, reader.does(step)) for step in steps(PAGE.read_text("utf-8"))]


def printed(played: Played, command: str) -> list[str]:
    return [text for step, text in played if step.about == command]


def numbers(text: str, words: str) -> list[int]:
    return [int(n.replace(",", "")) for n in re.findall(rf"^ +([\d,]+) {words}", text, re.MULTILINE)]


def test_each_command_prints_what_the_page_shows(played: Played) -> None:
    """`python -m tests.support.tutorial docs/tutorial/first-screening-study.md` writes the page anew."""
    commands = [step for step, _ in played if step.kind == "console"]
    assert len(commands) >= 12, "the page is read at all"
    for step, text in played:
        if step.kind == "console":
            assert words_of(text) == words_of(step.text), step.about


def test_the_plans_send_what_the_page_says(played: Played) -> None:
    first, silence, wording, deep = printed(played, "overnight plan")
    assert numbers(first, "requests to send: never asked before") == [ASKED]
    assert numbers(silence, "answered") == [PILOT], "if_silent sends nothing"
    assert numbers(silence, "requests to send: never asked before") == [ASKED - PILOT]
    assert numbers(wording, "requests to send") == [ASKED]
    assert f"{PILOT}: the criteria or the question changed; their answers cost $" in wording
    assert numbers(deep, "answered") == [PILOT], "two more of these, three of the others"
    assert numbers(deep, "requests to send") == [2 * PILOT + 3 * (ASKED - PILOT)]


def test_a_pilot_is_asked_and_only_asked_again_after_a_word(played: Played) -> None:
    first, refused, again = printed(played, "overnight pilot") + printed(played, "overnight pilot --pay-again")
    for text in (first, again):
        assert f"Pilot: {PILOT} of {ASKED} records, drawn by seed 1" in text
        assert re.search(rf"^  sent now +{PILOT} ", text, re.MULTILINE)
    assert refused.endswith("[exit code 6]\n")
    assert "Say `overnight pilot --pay-again`" in refused


def test_silence_is_applied_to_the_answers_that_are_there(played: Played) -> None:
    (after,), before = printed(played, "overnight fetch"), printed(played, "overnight pilot")[0]
    was, is_ = (_decisions(text) for text in (before, after))
    assert is_["exclude"] > was["exclude"]
    assert is_["unclear"] < was["unclear"]
    assert is_["include"] == was["include"]


def _decisions(text: str) -> Mapping[str, int]:
    rows = re.findall(r"^  (include|exclude|unclear) +(\d+)", text, re.MULTILINE)
    return Counter({word: int(n) for word, n in rows})


def test_the_second_run_has_nothing_to_do(played: Played) -> None:
    assert "nothing to do: every record is settled" in printed(played, "overnight run")[-1]


def test_every_record_is_there_in_the_end_in_table_and_references(played: Played, folder: Path) -> None:
    home = folder / "naps"
    rows = csv_rows(home / "stand-in" / "results.csv")
    assert Counter(row["outcome"] for row in rows) == {"answer": ASKED, "not_sent": DUPLICATES + NO_ABSTRACT}
    included = [row for row in rows if row["decision"] == "include"]
    assert 20 < len(included) < ASKED / 2
    said = (home / "screened.ris").read_text("utf-8-sig")
    assert len(re.findall(r"^TY  - ", said, re.MULTILINE)) == RECORDS
    assert len(re.findall(r"^KW  - screening:include$", said, re.MULTILINE)) == len(included)


def test_nothing_was_asked_twice(played: Played, folder: Path) -> None:
    status = Person(folder / "naps").types("status", "--json").json
    assert (status["open"], status["strays"], status["pilot"]) == (0, 0, None)
    contested = status["compared"]
    asked = PILOT + 3 * ASKED + contested["adjudicated"]
    assert contested["records"] == ASKED
    assert sum(_lines(Path(status["raw"]))) == asked, "the pilot's first words, three samples, adjudications"


def _lines(raw: Path) -> list[int]:
    import gzip

    return [len(gzip.decompress(file.read_bytes()).splitlines()) for file in raw.rglob("*.gz")]


def test_its_records_are_the_demos_and_nobody_elses(folder: Path) -> None:
    with (PAGE.parents[2] / "examples" / "planned-naps" / "records.csv").open(newline="", encoding="utf-8") as file:
        known = {row["title"] for row in csv.DictReader(file)}
    for file in FILES:
        titles = re.findall(r"^TI  - (.*)$", file.read_text("utf-8"), re.MULTILINE)
        assert titles
        assert set(titles) <= known
