"""rispy as a second opinion on RIS: the same titles, abstracts and DOIs, but for what it is known to lose."""

import os
from pathlib import Path
from random import Random

import pytest
import rispy

from tests.support.references import opened, references
from tests.support.references_made import made

Seen = tuple[str, str, str]


def theirs(text: str) -> list[Seen]:
    return [
        (
            _words(found.get("title") or found.get("primary_title") or ""),
            _words(found.get("abstract") or found.get("notes_abstract") or ""),
            found.get("doi", ""),
        )
        for found in rispy.loads(text)
    ]


def ours(folder: Path, content: str | bytes) -> list[Seen]:
    return [
        (_words(found.get("title", "")), _words(found.get("abstract", "")), str(found.get("doi", "")))
        for found in references(opened(folder, content, "t.ris"))
    ]


def _words(text: object) -> str:
    """Line breaks apart: rispy joins the lines of a value with blanks."""
    return " ".join(str(text).split())


def well_formed(seed: int, n: int) -> str:
    """Two blanks and a dash, TY and ER in every record, values that go on over several lines."""
    random = Random(seed)
    records = []
    for _ in range(n):
        record = made(random, beyond=True)
        title, abstract = random.choice((("TI", "AB"), ("T1", "N2")))
        lines = ["TY  - JOUR", f"{title}  - {record.title or 'None'}"]
        lines += [f"AU  - {author}" for author in record.authors]
        if text := [line for line in record.abstract if line]:
            lines += [f"{abstract}  - {text[0]}", *text[1:]]
        lines += [f"DO  - {record.doi}"] if record.doi else []
        lines += [f"KW  - {keyword}" for keyword in record.keywords]
        records.append("\n".join([*lines, "ER  - ", ""]))
    return "\n".join(records)


@pytest.mark.parametrize("seed", range(20))
def test_both_agree_on_well_formed_files(tmp_path: Path, seed: int) -> None:
    text = well_formed(seed, 25)
    found = ours(tmp_path, text)
    assert len(found) == 25
    assert found == theirs(text)


def test_a_byte_order_mark_costs_rispy_the_first_record_and_us_none(tmp_path: Path) -> None:
    text = "\ufeff" + well_formed(7, 3)
    assert len(theirs(text)) == 2, "rispy was mended: docs/decisions/0011 and this test may be shorter"
    assert ours(tmp_path, text) == theirs(text.removeprefix("\ufeff"))


@pytest.mark.real_data
def test_both_agree_on_a_real_export(tmp_path: Path) -> None:
    if "OVERNIGHT_DATA" not in os.environ:
        pytest.skip("OVERNIGHT_DATA does not name the folder of real data")
    content = (Path(os.environ["OVERNIGHT_DATA"]) / "exports" / "zotero_pubmed.ris").read_bytes()
    found = ours(tmp_path, content)
    assert found == theirs(content.decode("utf-8-sig"))
    assert all(title and abstract for title, abstract, _ in found)
