"""Law: what is surely one publication is so whatever the order of files; what contradicts itself is never made one."""

from dataclasses import replace
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from overnight.records.duplicates import Found, Hashes, find_duplicates, survivors
from overnight.records.identifiers import Identifiers
from overnight.records.publications import Publication

TITLES = ("planned naps on night shifts of nurses", "sleeping on the ward at night and after it")
_FEW = st.integers(0, 2)


def paper(
    position: int,
    *,
    pmid: str = "",
    doi: str = "",
    title: str = TITLES[0],
    year: int = 2020,
    author: str = "smith",
    abstract: bool = True,
) -> Publication:
    return Publication(position, f"r{position}", Identifiers(pmid, doi), title, year, author, abstract, title)


PAPERS = st.lists(
    st.tuples(
        st.sampled_from(["", "", "1", "2"]),
        st.sampled_from(["", "", "10.1000/a", "10.1000/b"]),
        st.sampled_from(["", *TITLES, f"{TITLES[0]} a randomised trial"]),
        st.sampled_from([0, 2019, 2020, 2022]),
        st.sampled_from(["", "smith", "doe"]),
        st.booleans(),
    ),
    max_size=9,
).map(
    lambda rows: [
        paper(n, pmid=pmid, doi=doi, title=title, year=year, author=author, abstract=abstract)
        for n, (pmid, doi, title, year, author, abstract) in enumerate(rows)
    ]
)


def groups(found: Found) -> set[frozenset[str]]:
    return {frozenset(one.record_id for one in group) for group in found.groups}


def at_new_places(papers: list[Publication], order: list[int]) -> list[Publication]:
    return sorted(
        (replace(one, position=place) for one, place in zip(papers, order, strict=True)), key=lambda o: o.position
    )


@given(PAPERS, st.data())
def test_groups_do_not_depend_on_the_order_of_files(papers: list[Publication], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(papers))))
    assert groups(find_duplicates(at_new_places(papers, list(order)), {})) == groups(find_duplicates(papers, {}))


@given(PAPERS)
def test_nobody_is_in_two_groups_and_no_group_contradicts_itself(papers: list[Publication]) -> None:
    found = find_duplicates(papers, {})
    members = [one.record_id for group in found.groups for one in group]
    assert len(members) == len(set(members))
    for group in found.groups:
        assert not any(a.identifiers.contradicts(b.identifiers) for a, b in combinations(group, 2))
    for pair in found.likely:
        assert not any(pair.ids <= group for group in groups(found))


@given(PAPERS)
def test_one_pmid_is_one_publication(papers: list[Publication]) -> None:
    joined = groups(find_duplicates(papers, {}))
    for a, b in combinations(papers, 2):
        if a.identifiers.pmid and a.identifiers.pmid == b.identifiers.pmid:
            assert any({a.record_id, b.record_id} <= group for group in joined)


@given(PAPERS, st.data())
def test_a_persons_word_comes_before_ours(papers: list[Publication], data: st.DataObject) -> None:
    for a, b in combinations(papers, 2):
        pair, same = frozenset((a.record_id, b.record_id)), data.draw(st.booleans())
        found = find_duplicates(papers, {pair: same})
        assert any(pair <= group for group in groups(found)) == same
        assert pair not in {one.ids for one in found.likely}
        break


@given(PAPERS)
def test_each_group_keeps_one_and_one_that_was_asked_about_comes_first(papers: list[Publication]) -> None:
    found = find_duplicates(papers, {})
    aside = survivors(found.groups, lambda _: None)
    asked = survivors(found.groups, {"r3": 7, "r5": 2}.get)
    assert len(aside) == len(asked) == sum(len(group) - 1 for group in found.groups)
    for group in found.groups:
        (best,) = [one for one in group if one.position not in aside]
        assert best.has_abstract or not any(one.has_abstract for one in group)
        ids = {one.record_id for one in group}
        (first,) = [one for one in group if one.position not in asked]
        if ids & {"r3", "r5"}:
            assert first.record_id == ("r5" if "r5" in ids else "r3")


@given(PAPERS)
def test_what_shares_nothing_is_not_looked_at(papers: list[Publication]) -> None:
    """The hashes of a first pass leave out only what is in no group and no pair."""
    hashes = Hashes()
    for one in papers:
        hashes.see(one.identifiers, one.title)
    repeated = hashes.repeated()
    found = find_duplicates(papers, {})
    named = [one.position for group in found.groups for one in group]
    named += [one.position for pair in found.likely for one in (pair.a, pair.b)]
    assert all(repeated[position] for position in named)
    for one in papers:
        if repeated[one.position]:
            shared = (one.identifiers.pmid, one.identifiers.doi, one.title)
            assert any(
                mine and mine == others
                for other in papers
                if other is not one
                for mine, others in zip(
                    shared, (other.identifiers.pmid, other.identifiers.doi, other.title), strict=True
                )
            )


class TestByHand:
    def test_title_year_and_first_author_are_sure(self) -> None:
        assert groups(find_duplicates([paper(0, doi="10.1000/a"), paper(1), paper(2, author="doe")], {})) == {
            frozenset(("r0", "r1"))
        }

    def test_a_doi_of_two_titles_is_likely_and_a_subtitle_left_out_is_sure(self) -> None:
        same = {"doi": "10.1000/a", "year": 0}
        found = find_duplicates([paper(0, **same), paper(1, title=TITLES[1], **same)], {})  # type: ignore[arg-type]
        assert (found.groups, [pair.why for pair in found.likely]) == ([], ["same DOI, other title"])
        longer = paper(1, title=f"{TITLES[0]} a trial", doi="10.1000/a", year=0)
        assert groups(find_duplicates([paper(0, doi="10.1000/a", year=0), longer], {})) == {frozenset(("r0", "r1"))}

    def test_what_is_missing_or_a_year_apart_is_likely_and_says_why(self) -> None:
        def why(**other: object) -> list[str]:
            found = find_duplicates([paper(0), paper(1, **other)], {})  # type: ignore[arg-type]
            assert not found.groups
            return [pair.why for pair in found.likely]

        assert why(year=2021) == ["same title, a year apart"]
        assert why(year=0) == ["same title, no year to compare"]
        assert why(author="", year=0) == ["same title, no year and no author to compare"]
        assert why(year=2022) == why(author="doe") == []

    def test_two_dois_are_two_publications_whatever_their_titles(self) -> None:
        found = find_duplicates([paper(0, doi="10.1000/a"), paper(1, doi="10.1000/b")], {})
        assert (found.groups, [pair.why for pair in found.likely]) == ([], ["same title, other identifiers"])

    def test_two_that_contradict_each_other_are_not_one_through_a_third(self) -> None:
        chain = [
            paper(0, pmid="1", doi="10.1000/a", year=2019),
            paper(1, doi="10.1000/a"),
            paper(2, pmid="2"),
        ]
        found = find_duplicates(chain, {})
        assert groups(found) == {frozenset(("r0", "r1"))}
        assert {pair.ids for pair in found.likely} == {frozenset(("r0", "r2"))}

    def test_a_no_to_one_of_a_group_is_not_asked_again_of_the_others(self) -> None:
        same = {"doi": "10.1000/a"}
        three = [paper(0, **same), paper(1, **same), paper(2, title=TITLES[1], **same)]  # type: ignore[arg-type]
        parted = [paper(0, pmid="1"), paper(1, pmid="1", doi="10.1000/a"), paper(2, title=TITLES[1], **same)]  # type: ignore[arg-type]
        for papers in (three, parted):
            assert len(find_duplicates(papers, {}).likely) == 1
        for name in ("r0", "r1"):
            found = find_duplicates(parted, {frozenset((name, "r2")): False})
            assert (groups(found), found.likely) == ({frozenset(("r0", "r1"))}, [])
