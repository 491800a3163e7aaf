"""Each benchmark runs through once on a few rows, in this process, so that none of them rots."""

import json
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="bench measures with getrusage, which Windows has not")

from bench.__main__ import NAMES, main, run
from bench.figures import Figure, as_json, as_table
from bench.identity import count
from bench.measure import Runner
from bench.sizes import TINY
from bench.texts import texts


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_runs_once_on_a_few_rows(name: str, tmp_path: Path) -> None:
    figures = run([name], Runner(rounds=1, fresh=False), TINY, tmp_path)
    assert figures
    assert json.loads(json.dumps(as_json(figures)))
    assert as_table(figures).count("\n") == len(figures) + 1


def test_wrong_echoes_are_counted_one_by_one() -> None:
    values = count(600)
    assert values["swapped"] == values["caught"] == 16
    assert values["alarms"] == values["wrong"] == 0
    assert values["loose"] > 0
    assert values["rewritten"] > 150


def test_a_figure_says_which_mark_it_reaches() -> None:
    assert Figure("T1", "speed", 1.6, "x", 1.0, 1.5, "higher").verdict == "ambitious"
    assert Figure("T1", "speed", 1.2, "x", 1.0, 1.5, "higher").verdict == "good"
    assert Figure("T1", "speed", 0.9, "x", 1.0, 1.5, "higher").verdict == "MISSED"
    assert Figure("T8", "memory", 301, "MB", 300, 130).verdict == "MISSED"
    assert Figure("", "shown only", 3).verdict == ""


def test_the_made_up_texts_are_as_the_page_says() -> None:
    made = list(texts(4000))
    assert len(set(made)) == 4000
    assert made[:10] == list(texts(10))
    assert 1_350 < sum(map(len, made)) / 4000 < 1_750
    assert 0.45 < sum(not text.isascii() for text in made) / 4000 < 0.55


def test_a_benchmark_that_is_not_there_is_refused_with_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["rendering"])
    assert "render, collect" in capsys.readouterr().err
