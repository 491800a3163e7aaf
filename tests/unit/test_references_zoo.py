"""Fifty-odd files as databases and reference managers write them: every record, every abstract, every title."""

from pathlib import Path

import pytest

from overnight.records import open_table
from overnight.records.roles import roles_of
from overnight.records.survey import Surveyor
from tests.support.zoo import WORKS, ZOO


@pytest.mark.parametrize("name", ZOO)
def test_a_file_as_it_is_found_gives_its_counts(name: str, tmp_path: Path) -> None:
    exhibit = ZOO[name]()
    path = tmp_path / exhibit.name
    path.write_bytes(exhibit.content)
    table = open_table(path)
    surveyor = Surveyor(table.columns, lambda _: False)
    titles = []
    title = table.columns.index(roles_of(table.columns).title)
    for _, row in table.rows():
        surveyor.see(row)
        titles.append(str(row[title]))
    survey = surveyor.survey
    assert (table.format, survey.n_records, survey.n_with_abstract) == (
        exhibit.format,
        exhibit.records,
        exhibit.with_abstract,
    )
    assert titles == [work.title for work in WORKS]
    assert (survey.first_year, survey.last_year) in {(2018, 2021), (0, 0)}


def test_the_zoo_is_as_large_as_it_says() -> None:
    assert len(ZOO) > 50
    assert len({(exhibit().name, exhibit().content) for exhibit in ZOO.values()}) == len(ZOO)
