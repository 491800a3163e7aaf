"""The report of a screen with several samples: each number on the page is that of the summary and of the results."""

import re
from collections import Counter
from pathlib import Path

import pytest

from overnight.report.render import SETTLED_SHOWN
from tests.support.local_cloud import LocalCloud, Plans
from tests.support.small_screens import SmallScreen
from tests.unit.test_report_page import Page

RECORDS = 24


@pytest.fixture
def cloud(child: LocalCloud) -> LocalCloud:
    return child


def number(pattern: str, words: str) -> int:
    found = re.search(pattern, words)
    assert found, f"the page does not say {pattern!r}"
    return int(found[1].replace(",", ""))


def test_the_pages_numbers_are_those_of_the_summary_and_of_the_results(tmp_path: Path, cloud: LocalCloud) -> None:
    study = SmallScreen.of(tmp_path / "study", RECORDS, deep="samples: 3, adjudicate: never")
    study.texts["blank"] = ""
    study.write()
    with Plans(cloud) as plans:
        plans.add("samples", "prompt_blocked", scope={"rows": [2, 5]}, when={"times": 2})
        assert study.cli("run").code == 0
    study.deep = "samples: 3"
    study.write()
    with Plans(cloud) as plans:
        plans.add("adjudicator", "prompt_blocked", scope={"rows": [1]})
        ended = study.cli("run", "--json")
    assert ended.code == 0, ended.err
    closing, rows = ended.json, study.results()
    html = Path(closing["results"]["report"]).read_text(encoding="utf-8")
    said = Page(html).words()

    assert f"{closing['records']} records identified = {closing['answers']} screened +" in said
    for word, n in closing["decisions"].items():
        assert number(rf"{word} (\d+) \d", said) == n
    compared = closing["compared"]
    assert number(r"agreed (\d+) \d", said) == compared["agreed"]
    assert number(r"contested (\d+) \d", said) == compared["contested"]
    assert number(r"several samples; (\d+) adjudicated", said) == compared["adjudicated"]
    person = [row for row in rows if row["needs_person"] == "true"]
    assert number(r"(\d+) records for a person", said) == len(person) == sum(closing["tally"]["for_a_person"].values())
    for who, n in closing["tally"]["decided_by"].items():
        assert f"{who.replace('_', ' ')} ({n})" in said
    settled = min(SETTLED_SHOWN, len(rows) - len(person))
    assert html.count('<div class="inside" id="r-') == len(person) + settled, "once each"

    assert closing["problems"] == {"blocked": 1}, "the adjudicator's; two samples are a contest"
    assert "adjudicator no answer: blocked" in said
    criteria = said.split("Criteria A quote counts")[1].split("Where the wording is weak")[0]
    for name in ("night", "naps"):
        part = criteria.split(f"{name} to include")[1].split("Quotes found")[0]
        verdicts = Counter(row[f"c_{name}"].replace("_", " ") for row in rows if row[f"c_{name}"])
        assert {word: number(rf"{word} (\d+) [<\d–]", part) for word in verdicts} == dict(verdicts)
        assert number(r"samples differ in (\d+)", part) == compared["criteria_split"].get(name, 0)


def test_the_page_lists_the_contested_first_with_each_samples_word(tmp_path: Path, cloud: LocalCloud) -> None:
    study = SmallScreen.of(tmp_path / "study", RECORDS, deep="samples: 3, adjudicate: never, framings: [neutral, for]")
    ended = study.cli("run", "--json")
    assert ended.code == 0, ended.err
    html = Path(ended.json["results"]["report"]).read_text(encoding="utf-8")
    assert "argued for" in html
    contested = {row["record_id"] for row in study.results() if row["agreement"] in {"1 of 3", "2 of 3"}}
    assert contested, "the stand-in's samples differ on some"
    settled = sum(row["needs_person"] != "true" for row in study.results())
    listed = re.findall(r'<details class="record".*?</details>', html, re.DOTALL)
    assert len(listed) == RECORDS - settled + min(settled, SETTLED_SHOWN)
    first = listed[: len(contested)]
    assert all('class="voices ' in one for one in first)
    assert {name for name in contested for one in first if f">{name}<" in one or f">{name} " in one} == contested
