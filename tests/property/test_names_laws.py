"""Law: a record once named keeps its name, whatever becomes of the files around it."""

import csv
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from overnight.ledger.ledger import Ledger
from overnight.records import RecordSet, RecordsFile, read_records
from overnight.wiring.identity import settle_names


@dataclass(frozen=True)
class Paper:
    """who: which paper it is, for the test only."""

    who: int
    pmid: str = ""
    doi: str = ""
    key: str = ""
    text: str = ""


def library(number: int, kinds: Sequence[int]) -> list[Paper]:
    """Papers that have some of the identifiers each; every third text is the same, as `Editorial` is."""
    found = []
    for n, kind in enumerate(kinds):
        who = number * 1000 + n
        text = "Editorial" if kind & 8 and kind & 3 else f"text of {who}"
        found.append(
            Paper(
                who, str(who + 1) * bool(kind & 1), f"10.1000/{who}" * bool(kind & 2), f"K{who}" * bool(kind & 4), text
            )
        )
    return found


class Study:
    """Files in a folder and a ledger beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = Ledger.open(folder / "ledger.sqlite", study="s", now="2026-11-22T00:00:00Z")

    def names(self, *files: Sequence[Paper], keep: bool = True) -> list[str]:
        """In the order of the rows."""
        paths = []
        for n, papers in enumerate(files):
            paths.append(self.folder / f"{n}.csv")
            with paths[-1].open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(["pmid", "doi", "citation_key", "title"])
                writer.writerows((one.pmid, one.doi, one.key, one.text) for one in papers)
        records = read_records([RecordsFile(path) for path in paths], id="auto", text=["title"])
        records.check()
        settle_names(records, self.ledger, keep=keep)
        names = [record.record_id for record in records]
        assert len(set(names)) == len(names)
        self._same_again(records, names)
        return names

    def _same_again(self, records: RecordSet, names: list[str]) -> None:
        """A second look, by prints or by aliases, finds the same."""
        records.rename({})
        records.check()
        settle_names(records, self.ledger, keep=False)
        assert [record.record_id for record in records] == names


def by_paper(papers: Sequence[Paper], names: Sequence[str]) -> dict[int, str]:
    return {paper.who: name for paper, name in zip(papers, names, strict=True)}


KINDS = st.lists(st.integers(0, 15), min_size=1, max_size=7)


@settings(max_examples=60)
@given(KINDS, KINDS, st.randoms(use_true_random=False))
def test_names_outlive_reordering_adding_files_and_leaving_them_out(
    first: list[int], second: list[int], chance: object
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        study = Study(Path(folder))
        one, other = library(0, first), library(1, second)
        before = by_paper(one, study.names(one))
        shuffled = [*one]
        chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random
        assert by_paper([*other, *shuffled], study.names(other, shuffled)).items() >= before.items()
        study.names(other)
        assert by_paper(shuffled, study.names(shuffled)) == before
        study.ledger.close()


@settings(max_examples=60)
@given(KINDS, st.data())
def test_names_outlive_identifiers_that_appear_and_texts_that_are_corrected(
    kinds: list[int], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        study = Study(Path(folder))
        papers = library(0, kinds)
        before = by_paper(papers, study.names(papers))
        changed = []
        for paper in data.draw(st.permutations(papers)):
            strong = bool(paper.pmid or paper.doi)
            match data.draw(st.sampled_from(["as it was", "doi appears", "pmid appears", "corrected"])):
                case "doi appears" if paper.text != "Editorial":
                    paper = replace(paper, doi=f"10.1000/{paper.who}")
                case "pmid appears" if paper.text != "Editorial":
                    paper = replace(paper, pmid=str(paper.who + 1))
                case "corrected" if strong:
                    paper = replace(paper, text=f"{paper.text} of {paper.who}, corrected")
                case _:
                    pass
            changed.append(paper)
        assert by_paper(changed, study.names(changed)) == before
        study.ledger.close()


def test_equal_rows_without_identifiers_have_stable_occurrences(tmp_path: Path) -> None:
    study = Study(tmp_path)
    same = [Paper(n, text="the same") for n in range(3)]
    named = Paper(9, doi="10.1000/z", text="z")
    first = study.names([*same, named])
    assert first == [first[0], f"{first[0]}-2", f"{first[0]}-3", "doi:10.1000/z"]
    assert study.names([named], same) == ["doi:10.1000/z", *first[:3]]
    with_doi = replace(same[1], doi="10.1000/b")
    assert sorted(study.names([with_doi, same[0], same[2], named])) == sorted(first), "a DOI appears on one of them"


def test_a_text_is_no_identity_where_identifiers_contradict_it(tmp_path: Path) -> None:
    study = Study(tmp_path)
    assert study.names([Paper(1, doi="10.1000/a", text="Editorial")]) == ["doi:10.1000/a"]
    assert study.names([Paper(2, doi="10.1000/b", text="Editorial")]) == ["doi:10.1000/b"]


def test_two_names_for_what_is_seen_to_be_one_record_the_first_stays(tmp_path: Path) -> None:
    study = Study(tmp_path)
    plain, with_doi = Paper(1, text="as exported first"), Paper(2, doi="10.1000/a", text="as in the database")
    (first,) = study.names([plain])
    assert study.names([plain, with_doi]) == [first, "doi:10.1000/a"]
    assert study.names([replace(with_doi, text=plain.text)]) == [first]
    assert first in study.ledger.names.now_called("doi:10.1000/a")


def test_of_two_with_one_pmid_each_keeps_its_name_in_any_order(tmp_path: Path) -> None:
    study = Study(tmp_path)
    two = [Paper(1, pmid="7", text="of one database"), Paper(2, pmid="7", text="of the other")]
    first = study.names(two)
    assert first[0] == "pmid:7"
    assert study.names(two[::-1]) == first[::-1]


def test_a_look_alone_keeps_nothing(tmp_path: Path) -> None:
    study = Study(tmp_path)
    study.names([Paper(1, doi="10.1000/a", text="a")], keep=False)
    assert not study.ledger.names.any()


def test_what_many_records_share_tells_none_of_them_from_another(tmp_path: Path) -> None:
    """A blank text is no reason to compare each of them with all."""
    study = Study(tmp_path)
    blank = [Paper(n, doi=f"10.1000/{n}") for n in range(40)]
    first = study.names(blank)
    more = [Paper(n, doi=f"10.1000/{n}") for n in range(40, 60)]
    assert study.names([*more, *blank])[20:] == first
