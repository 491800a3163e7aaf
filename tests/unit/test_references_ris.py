"""RIS in: the dialects of databases and reference managers (made, fictional), every oddity, and what is refused."""

from pathlib import Path
from string import ascii_uppercase, digits

import pytest

from overnight.records import Table, open_tables
from overnight.records.references.reference import Reference
from overnight.records.references.ris import RIS
from overnight.records.source import Source
from tests.support.references import notes, opened, places, raws, references, refusal

ABSTRACT = "Sixty nurses took a planned nap at three in the morning; twelve did not (p < 0.05)."


def ris(folder: Path, content: str | bytes, name: str = "t.ris") -> Table:
    return opened(folder, content, name)


def one(folder: Path, content: str) -> dict[str, object]:
    table = ris(folder, content)
    (reference,) = references(table)
    return reference


def test_zotero(tmp_path: Path) -> None:
    text = (
        "TY  - JOUR\nTI  - Naps on the ward\nAU  - Lind, Ada\nAU  - Moreau, B.\nT2  - Journal of Made Sleep\n"
        f"AB  - {ABSTRACT}\nDA  - 2019///\nPY  - 2019\nDO  - 10.5555/naps.1\nDP  - PubMed\nVL  - 14\nIS  - 2\n"
        "SP  - 121\nEP  - 128\nJ2  - J Made Sleep\nLA  - eng\nSN  - 1234-5678 1234-5678\nKW  - nap\nKW  - night work\n"
        "N1  - PMID: 30000001\nER  -\n\n"
    )
    assert one(tmp_path, text) == {
        "title": "Naps on the ward",
        "abstract": ABSTRACT,
        "authors": "Lind, Ada; Moreau, B.",
        "year": "2019",
        "journal": "Journal of Made Sleep",
        "volume": "14",
        "issue": "2",
        "pages": "121-128",
        "doi": "10.5555/naps.1",
        "pmid": "30000001",
        "type": "JOUR",
        "language": "eng",
        "keywords": "nap; night work",
        "issn": "1234-5678 1234-5678",
        "database": "PubMed",
        "other": {"DA": ["2019///"], "J2": ["J Made Sleep"], "N1": ["PMID: 30000001"]},
    }


def test_endnote_with_a_pmid_its_own_numbers_and_one_keyword_a_line(tmp_path: Path) -> None:
    text = (
        "TY  - JOUR\nAB  - " + ABSTRACT + "\nAD  - Ward 3.\nWard 4.\nAN  - 30000002\nAU  - Lind, A.\nC2  - PMC7000001\n"
        "DA  - Jul\nDO  - 10.5555/naps.2\nDP  - Nlm\nET  - 2020/07/01\nID  - 17\nKW  - Adult\nFemale\nHumans\n"
        "PY  - 2020\nST  - Naps\nT2  - Sleep Made Up\nTI  - Naps: a trial\nUR  - https://example.org/2\nER  - \n\n\n"
    )
    got = one(tmp_path, text)
    assert (got["pmid"], got["pmcid"], got["accession_number"]) == ("30000002", "PMC7000001", "30000002")
    assert got["keywords"] == "Adult; Female; Humans"
    assert (got["title"], got["journal"]) == ("Naps: a trial", "Sleep Made Up")
    assert "citation_key" not in got
    other = {"AD": ["Ward 3.\nWard 4."], "C2": ["PMC7000001"], "DA": ["Jul"], "ET": ["2020/07/01"], "ID": ["17"]}
    assert got["other"] == other | {"ST": ["Naps"]}


def test_mendeley_with_a_citation_key(tmp_path: Path) -> None:
    text = (
        "TY  - JOUR\nT1  - Naps again\nA1  - Moreau, B\nA1  - Lind, A\nY1  - 2018/03//\nN2  - " + ABSTRACT + "\n"
        "JF  - Sleep\nJO  - Slp\nID  - Moreau2018\nM3  - 10.5555/naps.3\nER  - \n"
    )
    got = one(tmp_path, text)
    assert (got["title"], got["abstract"], got["year"]) == ("Naps again", ABSTRACT, "2018")
    assert (got["authors"], got["journal"], got["citation_key"]) == ("Moreau, B; Lind, A", "Sleep", "Moreau2018")
    assert (got["doi"], got["type"]) == ("10.5555/naps.3", "JOUR")


def test_scopus_with_a_pmid_in_c2(tmp_path: Path) -> None:
    text = (
        "\ufeffTY  - JOUR\nTI  - Naps in Scopus\nT2  - Sleep\nJ2  - Slp\nVL  - 3\nPY  - 2021\nC2  - 30000003\n"
        "DO  - 10.5555/naps.4\nAU  - Lind, A.\nAD  - Somewhere\nAB  - " + ABSTRACT + "\nM3  - Review\nDB  - Scopus\n"
        "N1  - Export Date: 01 May 2026; Cited By: 3; CODEN: XXXXX\nLA  - English\nER  -\n"
    )
    got = one(tmp_path, text)
    assert (got["title"], got["pmid"], got["type"], got["database"]) == (
        *("Naps in Scopus", "30000003", "JOUR; Review"),
        "Scopus",
    )
    assert "C2" not in dict(got["other"])  # type: ignore[call-overload]


def test_web_of_science_with_wrapped_abstract_and_notes(tmp_path: Path) -> None:
    text = (
        "TY  - JOUR\nAU  - Lind, A\nTI  - Naps in the Web of\n   Science\nT2  - SLEEP\nAB  - Background: Nights.\n"
        "   Methods: Naps.\nC7  - e1\nDO  - 10.5555/naps.5\nAN  - WOS:000000000000001\nDA  - SEP 22\nPY  - 2010\n"
        "N1  - Times Cited:  142\nTotal Times Cited:  162\nER  -\n\n"
    )
    got = one(tmp_path, text)
    assert (got["title"], got["abstract"]) == ("Naps in the Web of Science", "Background: Nights.\nMethods: Naps.")
    assert got["accession_number"] == "WOS:000000000000001"
    assert got["other"] == {"C7": ["e1"], "DA": ["SEP 22"], "N1": ["Times Cited:  142\nTotal Times Cited:  162"]}


def test_a_hidden_doi_may_have_a_divided_prefix(tmp_path: Path) -> None:
    """10.1000.10/123: the registrant's number may have parts [DOI Handbook 2.2]."""
    got = one(tmp_path, "TY  - JOUR\nTI  - Naps\nL2  - https://doi.org/10.5555.10/naps\nER  - \n")
    assert got["doi"] == "10.5555.10/naps"


def test_embase_with_two_databases_and_its_pmid(tmp_path: Path) -> None:
    text = (
        "TY  - JOUR\nM3  - Article\nY1  - 2024\nSN  - 2041-1723\nSN  - 2041-1724\nJF  - Sleep\nJO  - Slp\n"
        "U2  - L2000000001\nC5  - 30000004\nDB  - Embase\nDB  - Medline\nL2  - http://dx.doi.org/10.5555/naps.6\n"
        f"LK  - https://example.org/link?sid=1\nA1  - Lind, A.\nT1  - Naps in Embase\nN2  - {ABSTRACT}\nER  - \n\n"
    )
    got = one(tmp_path, text)
    assert (got["pmid"], got["doi"], got["issn"]) == ("30000004", "10.5555/naps.6", "2041-1723; 2041-1724")
    assert (got["database"], got["url"], got["abstract"]) == (
        "Embase; Medline",
        "https://example.org/link?sid=1",
        ABSTRACT,
    )


def test_ovid_with_numbers_between_records(tmp_path: Path) -> None:
    record = (
        "{n}. \nTY  - JOUR\nDB  - Ovid MEDLINE(R) <1946 to May 2026>\nID  - 3000000{n}\nT1  - Naps {n}\n"
        "A1  - Lind, Ada\nY1  - 1989//\nY2  - 1990//\nN2  - Short.\nL1  - https://dx.doi.org/10.5555/naps.{n}\n"
        "PT  - Journal Article\nER  -  \n\n \n\n"
    )
    table = ris(tmp_path, "".join(record.format(n=n) for n in (5, 6, 7)))
    assert places(table) == [2, 17, 32]
    assert notes(table) == ["1: 3 lines between records, left out; the first is here: '5.'"]
    got = references(table)
    assert [(r["pmid"], r["accession_number"], r["doi"]) for r in got] == [
        (f"3000000{n}", f"3000000{n}", f"10.5555/naps.{n}") for n in (5, 6, 7)
    ]
    assert {r["year"] for r in got} == {"1989"}
    assert all(raw.startswith("TY  - JOUR\n") and raw.endswith("ER  -  ") for raw in raws(table))


def test_cochrane_with_its_header_before_each_record(tmp_path: Path) -> None:
    record = (
        'Record #{n} of 18\nProvider: Made Up, Ltd.\nContent: text/plain; charset="UTF-8"\n\n'
        "TY  -  JOUR\nAN  -  CN-0000000{n}\nA1  -  Lind, A\nT1  -  Naps\nJA  -  Trials\nPY  -  2011\n"
        "C3  -  PUBMED 3000000{n},EMBASE 643000000\nM3  -  Journal article\nN2  -  Short.\nER  -  \n\n\n"
    )
    table = ris(tmp_path, "".join(record.format(n=n) for n in (3, 4)))
    assert [r["pmid"] for r in references(table)] == ["30000003", "30000004"]
    assert [r["accession_number"] for r in references(table)] == ["CN-00000003", "CN-00000004"]
    assert notes(table) == ["1: 6 lines between records, left out; the first is here: 'Record #3 of 18'"]


def test_ebsco_where_t2_is_no_journal(tmp_path: Path) -> None:
    text = (
        "TY  - JOUR\nT1  - Ruts and naps.\nT2  - An exhibition\nJO  - Time\nJF  - Time\nPY  - 1952/07/28/\n"
        "M3  - Article\nN1  - Accession Number: 5; Language: Undetermined\nDP  - EBSCOhost\nDB  - air\nER  - \n"
    )
    got = one(tmp_path, text)
    assert (got["journal"], got["year"], got["database"]) == ("Time", "1952", "air")
    assert got["other"] == {
        "T2": ["An exhibition"],
        "JO": ["Time"],
        "PY": ["1952/07/28/"],
        "N1": ["Accession Number: 5; Language: Undetermined"],
        "DP": ["EBSCOhost"],
    }


def test_psycinfo_by_proquest(tmp_path: Path) -> None:
    text = (
        "TY  - JOUR\nDB  - APA PsycInfo®\nAN  - 2020-00001-001\nT1  - Naps and mood\nAB  - " + ABSTRACT + "\n"
        "JF  - Mood\nA1  - Lind, A\nKW  - Naps; Mood; Nurses\nLA  - English\nY1  - 2020\nER  - \n"
    )
    got = one(tmp_path, text)
    assert (got["keywords"], got["accession_number"]) == ("Naps; Mood; Nurses", "2020-00001-001")
    assert "pmid" not in got


def test_rayyan_with_two_tags_on_one_line(tmp_path: Path) -> None:
    text = (
        "TY  - JOUR\nAN  - rayyan-42\nTI  - Naps\nY1  - 2024\nUR  - https://example.org/r     U2  - L2000000001\n"
        'N1  - RAYYAN-INCLUSION: {"Ada"=>"Included"}\n'
        "DO  - 10.5555/naps.7     LK  - https://example.org/l?a=1\nER  -\n\n"
    )
    got = one(tmp_path, text)
    assert (got["doi"], got["url"], got["accession_number"]) == ("10.5555/naps.7", "https://example.org/r", "rayyan-42")
    other = {
        "N1": ['RAYYAN-INCLUSION: {"Ada"=>"Included"}'],
        "U2": ["L2000000001"],
        "LK": ["https://example.org/l?a=1"],
    }
    assert got["other"] == other


def test_covidence_and_asreview_notes_stay_notes(tmp_path: Path) -> None:
    text = (
        "TY  - JOUR\nTI  - Naps\nAB  - Short.\nN1  - ASReview_relevant\nN1  - ASReview_time: 2026-05-01\n"
        "C1  - Covidence #12\nER  - \n\n"
    )
    got = one(tmp_path, text)
    assert (got["title"], got["abstract"]) == ("Naps", "Short.")
    assert got["other"] == {"N1": ["ASReview_relevant", "ASReview_time: 2026-05-01"], "C1": ["Covidence #12"]}


def test_a_note_is_an_abstract_only_where_it_says_so_at_length(tmp_path: Path) -> None:
    long = "Abstract: " + ABSTRACT * 2
    assert one(tmp_path, f"TY  - JOUR\nT1  - A\nN1  - {long}\nER  - \n")["abstract"] == long
    assert "abstract" not in one(tmp_path, f"TY  - JOUR\nT1  - A\nN1  - {ABSTRACT * 3}\nER  - \n")
    assert "abstract" not in one(tmp_path, "TY  - JOUR\nT1  - A\nN1  - Abstract: in French\nER  - \n")


@pytest.mark.parametrize(
    ("kind", "lines", "title", "journal"),
    [
        ("BOOK", "BT  - Sleep\nT3  - A series", "Sleep", None),
        ("CHAP", "TI  - Naps\nBT  - Sleep", "Naps", "Sleep"),
        ("CHAP", "CT  - Naps\nBT  - Sleep", "Naps", "Sleep"),
        ("CONF", "T1  - Naps\nT2  - Sleep meeting", "Naps", "Sleep meeting"),
        ("THES", "TI  - Naps\nPB  - Made University", "Naps", None),
        ("JOUR", "TI  - Naps\nJO  - Slp", "Naps", "Slp"),
        ("JOUR", "TI  - Naps\nJ2  - Slp", "Naps", "Slp"),
    ],
)
def test_titles_by_kind_of_work(tmp_path: Path, kind: str, lines: str, title: str, journal: str | None) -> None:
    got = one(tmp_path, f"TY  - {kind}\n{lines}\nER  - \n")
    assert (got.get("title"), got.get("journal")) == (title, journal)


SEPARATORS = ["  - ", " - ", "-", "\t- ", "  -\t", " -\t", "  -", "- ", " – ", "  – ", "   - "]


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_separator_and_line_end(tmp_path: Path, separator: str, lower: bool, end: str) -> None:
    def tag(name: str, value: str) -> str:
        return (name.lower() if lower else name) + separator + value

    record = [tag("TY", "JOUR"), tag("TI", "Naps"), tag("AB", "One."), "IL-6 rose.", tag("ER", "").rstrip(" ")]
    table = ris(tmp_path, (end.join(record) + end + end) * 3)
    assert references(table) == [{"title": "Naps", "abstract": "One.\nIL-6 rose.", "type": "JOUR"}] * 3
    assert notes(table) == []
    assert places(table) == [1, 7, 13]


def test_a_line_that_begins_with_two_capitals_is_text_unless_the_records_own_dash_follows(tmp_path: Path) -> None:
    text = (
        "TY  - JOUR\nTI  - Naps\nAB  - Of those\nCT - positive, 12\nAB- negative\nER-positive tumours\nTY-3 cells\n"
        "ER+ and\n  AB  - indented\nTI scale\nKW: none\nER  - \n"
    )
    got = one(tmp_path, text)
    assert got["abstract"] == (
        "Of those\nCT - positive, 12\nAB- negative\nER-positive tumours\nTY-3 cells\nER+ and\nAB  - indented\n"
        "TI scale\nKW: none"
    )


def test_a_usual_first_line_and_another_form_below_it(tmp_path: Path) -> None:
    got = one(tmp_path, "TY  - JOUR\nTI - Naps\nAB - Short.\nER - \n")
    assert got == {"title": "Naps", "abstract": "Short.", "type": "JOUR"}


def test_blank_lines_inside_a_value_are_kept_and_those_at_its_end_are_not(tmp_path: Path) -> None:
    got = one(tmp_path, "TY  - JOUR\n\nAB  - One.\n\n\nTwo.\n \nTI  - Naps\n\nER  - \n")
    assert (got["abstract"], got["title"]) == ("One.\n\n\nTwo.", "Naps")


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_every_encoding(tmp_path: Path, codec: str) -> None:
    text = "TY  - JOUR\nTI  - Schlaf für Wächter – “kurz”\nER  - \nTY  - JOUR\nTI  - Zwei\nER  - \n"
    table = ris(tmp_path, text.encode(codec))
    assert [r["title"] for r in references(table)] == ["Schlaf für Wächter – “kurz”", "Zwei"]
    assert raws(table)[0].startswith("TY")


def test_files_put_together_with_their_byte_order_marks(tmp_path: Path) -> None:
    part = "\ufeffTY  - JOUR\nTI  - Naps\nER  - \n"
    table = ris(tmp_path, part * 3)
    assert len(references(table)) == 3
    assert raws(table) == ["TY  - JOUR\nTI  - Naps\nER  - "] * 3


def test_a_missing_er_ends_at_the_next_ty_and_at_the_end_of_the_file(tmp_path: Path) -> None:
    table = ris(tmp_path, "TY  - JOUR\nTI  - A\n\nTY  - JOUR\nTI  - B\nER  - \nTY  - BOOK\nTI  - C")
    assert [r["title"] for r in references(table)] == ["A", "B", "C"]
    assert notes(table) == ["1: 2 records without an ER line at their end; the first is here"]
    assert raws(table) == ["TY  - JOUR\nTI  - A", "TY  - JOUR\nTI  - B\nER  - ", "TY  - BOOK\nTI  - C"]


def test_a_missing_ty_is_a_record_all_the_same_with_a_note(tmp_path: Path) -> None:
    table = ris(
        tmp_path, "TY  - JOUR\nTI  - A\nER  - \n\nTI  - B\nAB  - Short.\nER  - \n\nTY  - JOUR\nTI  - C\nER  - \n"
    )
    assert [r["title"] for r in references(table)] == ["A", "B", "C"]
    assert notes(table) == ["5: a record that does not begin with a TY line"]


def test_a_file_that_begins_without_ty(tmp_path: Path) -> None:
    table = ris(tmp_path, "AU  - Lind, A\nTI  - A\nER  - \nAU  - Moreau, B\nTI  - B\nER  - \n", "t.txt")
    assert [r["authors"] for r in references(table)] == ["Lind, A", "Moreau, B"]


def test_two_records_with_neither_er_nor_ty_between_them_are_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, "TY  - JOUR\nTI  - A\nAB  - x\n\nTI  - B\nAB  - y\nER  - \n", "t.ris")
    assert "t.ris:5: a second TI in the record of line 1, after a blank line: two records, or one?" in said


RUN = (
    "TY  - JOUR\nTI  - A\nAU  - Lind, A\nAB  - x\nPY  - 2019\n{}TI  - B\nAU  - Moreau, B\nAB  - y\nPY  - 2020\nER  - \n"
)


def test_two_records_with_nothing_at_all_between_them_are_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, RUN.format(""), "t.ris")
    assert "t.ris:6: a second TI and a second AB and a second PY in the record of line 1: two records, or one?" in said
    assert len(references(ris(tmp_path, RUN.format("ER  - \nTY  - JOUR\n")))) == 2


@pytest.mark.parametrize(
    "repeated",
    [
        "TI  - A\nAB  - Aims.\nKW  - nap\nAB  - Methods.",  # an abstract in two places
        "TI  - A\nTI  - Eine A\nAB  - x\nAB  - y\nPY  - 2019\nPY  - 2020",  # each tag in a row of its own
        "TI  - A\nSN  - 1\nAU  - Lind, A\nSN  - 2\nAU  - Moreau, B\nUR  - u\nKW  - a\nUR  - v",
        "T1  - A\nN2  - x\nTI  - A\nAB  - x\nPY  - 2019\nY1  - 2019",  # every tag in both its names
        "TI  - A\nVL  - 3\nIS  - 1\nVL  - 3\nIS  - 1",
    ],
)
def test_what_dialects_repeat_is_one_record(tmp_path: Path, repeated: str) -> None:
    one(tmp_path, f"TY  - JOUR\n{repeated}\nER  - \n")


@pytest.mark.parametrize("line", ["TY: JOUR", "TY = BOOK", "ty JOUR", "TY \u2010 JOUR", "TY \u2212 CHAP"])
def test_a_first_line_in_a_form_that_we_cannot_read_refuses_the_file_where_it_stands(tmp_path: Path, line: str) -> None:
    said = refusal(tmp_path, f"TY  - JOUR\nTI  - A\nER  - \n\n{line}\nTI  - B\nER  - \n", "t.ris")
    assert "t.ris:5: record 2 begins on line 5 by counting and on line 6 by reading" in said


def test_a_last_record_that_was_counted_and_not_read_refuses_the_file(tmp_path: Path) -> None:
    said = refusal(tmp_path, "TY  - JOUR\nTI  - A\nAB  - x\nTY: JOUR\n", "t.ris")
    assert "t.ris:4: record 2, on line 4, was counted and could not be read" in said


def test_the_count_knows_every_tag_and_dash_that_the_reader_knows(tmp_path: Path) -> None:
    """One by one, at the start of a record without TY, in each form; and between records in a file of the form."""
    path = tmp_path / "t.ris"
    pairs = [a + b for a in ascii_uppercase for b in ascii_uppercase + digits]
    for separator in (*SEPARATORS, " -", "\u2014"):
        for value in ("", "Naps", "naps", "von Lind", "https://example.org", "doi:10.5555/a"):
            heads = [f"{tag}{separator}{value}\nER  - \n" for tag in pairs if tag != "ER"]
            path.write_text("".join(heads + [head.lower() for head in heads]), encoding="utf-8")
            source = Source(path)
            read = [piece.line for piece in RIS.read(source, "utf-8") if isinstance(piece, Reference)]
            assert read
            assert list(RIS.starts(source, "utf-8")) == read


@pytest.mark.parametrize(
    ("line", "tag"),
    [
        ("CT-guided biopsy", None),
        ("CT-Guided Biopsy", None),
        ("T2-weighted images", None),
        ("PT-INR", None),
        ("CA-125 rose", None),
        ("AB-negative blood", None),
        ("N1-methyladenosine", None),
        ("Q7-x", None),
        ("AD-Ward 3", "AD"),
        ("UR-https://example.org", "url"),
        ("KW-nap", "keywords"),
        ("AU-van der Berg, C", "authors"),
        ("N1-10 cited", "N1"),
    ],
)
def test_where_nothing_stands_around_the_dash_text_is_no_tag(tmp_path: Path, line: str, tag: str | None) -> None:
    table = ris(tmp_path, f"TY-JOUR\nTI-Naps\nAB-By\n{line}\nVL-3\nER-\n")
    (got,) = references(table)
    assert (got["title"], got["volume"]) == ("Naps", "3")
    if tag is None:
        assert got["abstract"] == f"By\n{line}"
        noted = (
            []
            if line.startswith("Q7")
            else [f"4: a line that begins like a tag, taken as text of the one above: {line!r}"]
        )
        assert notes(table) == noted
    else:
        assert got["abstract"] == "By"
        assert tag in got or tag in dict(got["other"])  # type: ignore[call-overload]
        assert notes(table) == []


def test_a_line_like_a_tag_between_glued_records_begins_none(tmp_path: Path) -> None:
    table = ris(tmp_path, "TY-JOUR\nTI-A\nER-\nCT-guided\nTY-JOUR\nTI-B\nER-\n")
    assert [r["title"] for r in references(table)] == ["A", "B"]
    assert notes(table) == ["4: a line between records, left out: 'CT-guided'"]


def test_an_er_and_a_ty_on_one_line_are_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, "TY  - JOUR\nTI  - A\nER  - TY  - JOUR\nTI  - B\nER  - \n", "t.ris")
    assert "t.ris:3: a record ends and the next begins on one line" in said


@pytest.mark.parametrize("foreign", ["PMID- 30000001\nTI  - B", "%0 Journal Article\n%T B", "@article{b,\n}"])
def test_a_record_of_another_format_between_records_is_refused(tmp_path: Path, foreign: str) -> None:
    said = refusal(tmp_path, f"TY  - JOUR\nTI  - A\nER  - \n\n{foreign}\n\nTY  - JOUR\nTI  - C\nER  - \n", "t.ris")
    assert "t.ris:5: a record of another format begins here" in said


def test_empty_records_and_lone_ends(tmp_path: Path) -> None:
    table = ris(tmp_path, "TY  - JOUR\nER  - \nER  - \nTY  - \nER  - \nTY  - JOUR\nTI  - \nAB  -\nER  - ")
    assert references(table) == [{"type": "JOUR"}, {}, {"type": "JOUR"}]
    assert notes(table) == ["3: an ER line without a record"]


def test_a_header_in_a_record_without_er_is_kept_out_of_its_last_value(tmp_path: Path) -> None:
    table = ris(tmp_path, "TY  - JOUR\nTI  - A\nKW  - nap\n\nRecord #2 of 2\n\nTY  - JOUR\nTI  - B\nER  - \n")
    assert references(table)[0] == {"title": "A", "keywords": "nap", "type": "JOUR"}
    assert "5: a line between records, left out: 'Record #2 of 2'" in notes(table)


def test_tags_there_twice_and_unknown_tags_are_kept(tmp_path: Path) -> None:
    text = (
        "TY  - JOUR\nTI  - A\nTI  - B\nAB  - One.\nAB  - Two.\nDO  - 10.1/a\nDO  - 10.1/b\nQ7  - x\nQ7  - y\nER  - \n"
    )
    got = one(tmp_path, text)
    assert (got["title"], got["abstract"], got["doi"]) == ("A", "One.\nTwo.", "10.1/a")
    assert got["other"] == {"TI": ["B"], "DO": ["10.1/b"], "Q7": ["x", "y"]}


@pytest.mark.parametrize(
    ("line", "doi"),
    [
        ("UR  - https://doi.org/10.5555/a.b", "10.5555/a.b"),
        ("UR  - http://dx.doi.org/10.5555/a.b", "10.5555/a.b"),
        ("M3  - doi: 10.5555/a.b", "10.5555/a.b"),
        ("L3  - 10.5555/a.b", "10.5555/a.b"),
        ("N1  - doi:10.5555/a.b", "10.5555/a.b"),
        ("N1  - Cited by 3\ndoi:10.5555/a.b", "10.5555/a.b"),
        ("UR  - https://example.org/doi/10.5555/a.b", None),
        ("N1  - Comment on 10.5555/a.b", None),
        ("L3  - 10.1", None),
    ],
)
def test_a_doi_in_another_place_counts_when_it_is_plainly_one(tmp_path: Path, line: str, doi: str | None) -> None:
    assert one(tmp_path, f"TY  - JOUR\nTI  - A\n{line}\nER  - \n").get("doi") == doi


@pytest.mark.parametrize(
    ("lines", "pmid"),
    [
        ("AN  - 123\nDB  - PubMed", "123"),
        ("AN  - 123\nDP  - NLM", "123"),
        ("ID  - 123\nDB  - MEDLINE", "123"),
        ("AN  - 123\nDB  - CINAHL", None),
        ("AN  - 123", None),
        ("AN  - 123\nDB  - Embase\nDB  - Medline", None),
        ("AN  - 2020-1\nDB  - PubMed", None),
        ("PM  - 123", "123"),
        ("PM  - PUBMED 123", "123"),
        ("C2  - 123", None),
        ("C5  - 123\nDB  - Scopus", None),
        ("UR  - https://pubmed.ncbi.nlm.nih.gov/123/", "123"),
        ("UR  - https://www.ncbi.nlm.nih.gov/pubmed/123", "123"),
        ("UR  - https://example.org/pubmed/123", None),
    ],
)
def test_a_number_is_a_pmid_where_its_tag_or_database_says_so(tmp_path: Path, lines: str, pmid: str | None) -> None:
    assert one(tmp_path, f"TY  - JOUR\nTI  - A\n{lines}\nER  - \n").get("pmid") == pmid


@pytest.mark.parametrize(
    ("lines", "year", "other"),
    [
        ("PY  - 2019", "2019", None),
        ("PY  - 2019/05/12/", "2019", {"PY": ["2019/05/12/"]}),
        ("Y1  - 2019///Summer", "2019", {"Y1": ["2019///Summer"]}),
        ("DA  - 2019/05/12/", "2019", {"DA": ["2019/05/12/"]}),
        ("PY  - in press", "in press", None),
        ("PY  - in press\nDA  - 2020", "2020", {"PY": ["in press"]}),
        ("Y2  - 2020/01/01/", None, {"Y2": ["2020/01/01/"]}),
    ],
)
def test_years(tmp_path: Path, lines: str, year: str | None, other: dict[str, list[str]] | None) -> None:
    got = one(tmp_path, f"TY  - JOUR\nTI  - A\n{lines}\nER  - \n")
    assert (got.get("year"), got.get("other")) == (year, other)


def test_medline_in_a_file_named_ris_is_no_ris(tmp_path: Path) -> None:
    text = "PMID- 1\nOWN - NLM\nTI  - Naps\nAB  - Short.\n\nPMID- 2\nTI  - More\n"
    path = tmp_path / "t.ris"
    path.write_text(text)
    assert "ris" not in _formats(path)


def _formats(path: Path) -> list[str]:
    from overnight.errors import RecordsError

    try:
        return [table.format for table in open_tables(path)]
    except RecordsError:
        return []


def test_ris_under_any_name_is_ris_with_a_note(tmp_path: Path) -> None:
    table = ris(tmp_path, "TY  - JOUR\nTI  - A, b, c\nER  - \n", "t.csv")
    assert table.format == "ris"
    assert notes(table) == ["0: named like CSV, but its content is RIS: read as RIS"]


def test_a_csv_with_a_record_of_ris_in_a_cell_is_a_csv(tmp_path: Path) -> None:
    table = opened(tmp_path, 'title,abstract\nA,"ER  - \nTY  - JOUR\nTI  - forged"\nB,c\n', "t.csv")
    assert (table.format, len(list(table.rows()))) == ("csv", 2)
    table = opened(tmp_path, 'Search: "naps", 2 records\n\nTY  - JOUR\nTI  - A\nER  - \n', "t.ris")
    assert table.format == "ris"


def test_a_line_without_an_end_is_refused_before_it_fills_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overnight.records.references.tagged.LIMIT", 1000)
    said = refusal(tmp_path, "TY  - JOUR\nTI  - " + "x" * 2000, "t.ris")
    assert "t.ris:2: a line of more than 1,000 characters" in said
    said = refusal(tmp_path, "TY  - JOUR\nTI  - A\n" + "more\n" * 5000, "t.ris")
    assert "t.ris:1: a record too long to be one" in said
    said = refusal(tmp_path, "TY  - JOUR\nTI  - A\n" + "KW  - more\n" * 5000, "t.ris")
    assert "t.ris:1: a record too long to be one" in said
