"""MEDLINE (.nbib): files as PubMed, Ovid and ERIC make them, with every oddity; all references are fictional."""

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from overnight.errors import RecordsError
from overnight.records import open_table
from tests.support.references_xml import read, refused

NAPS = """\
PMID- 90000001
OWN - NLM
STAT- MEDLINE
DCOM- 20260102
LR  - 20260301
IS  - 1234-5678 (Electronic)
IS  - 1234-5679 (Linking)
VI  - 12
IP  - 3
DP  - 2025 Nov-Dec
TI  - Planned naps on night shifts: a crossover trial with a title that is wrapped\x20
      over two lines.
LID - e12 [pii]
LID - 10.5555/naps.2025.001 [doi]
AB  - BACKGROUND: Night work tires people. METHODS: Forty nurses napped; TI  - is
      not a title here, nor is PMID: 12345678. RESULTS: They were
      awake (p < 0.05). CONCLUSIONS: Naps help.
CI  - (c) 2025 The Authors.
FAU - Muster, Erika
AU  - Muster E
AUID- ORCID: 0000-0000-0000-0001
AD  - Nowhere University.
FAU - Ejemplo, Juan
AU  - Ejemplo J
CN  - Naps Study Group
LA  - eng
LA  - ger
PT  - Journal Article
PT  - Retracted Publication
DEP - 20251103
TA  - J Fict Sleep
JT  - Journal of fictional sleep
JID - 1000001
RIN - J Fict Sleep. 2026;13(1):9. PMID: 90000009
OAB - Publisher: Abstract available from the publisher.
OABL- ger
MH  - Humans
MH  - *Sleep/physiology
OTO - NOTNLM
OT  - naps
OT  - shift work
PMC - PMC9000001
MID - NIHMS1
AID - e12 [pii]
AID - 10.5555/naps.2025.001 [doi]
PST - epublish
SO  - J Fict Sleep. 2025 Nov-Dec;12(3):e12. doi: 10.5555/naps.2025.001.
"""
TEA = """\
PMID- 90000002
TI  - Tea.
DP  - 2019
SO  - J Fict Tea. 2019.
"""


def test_every_field_of_a_pubmed_record_is_in_its_column(tmp_path: Path) -> None:
    (only,) = read(tmp_path / "pubmed.nbib", NAPS).rows
    other = json.loads(str(only.pop("other")))
    assert only == {
        "title": "Planned naps on night shifts: a crossover trial with a title that is wrapped over two lines.",
        "abstract": "BACKGROUND: Night work tires people. METHODS: Forty nurses napped; TI  - is not a title here, "
        "nor is PMID: 12345678. RESULTS: They were awake (p < 0.05). CONCLUSIONS: Naps help.",
        "authors": "Muster, Erika; Ejemplo, Juan; Naps Study Group",
        "year": "2025",
        "journal": "Journal of fictional sleep",
        "volume": "12",
        "issue": "3",
        "doi": "10.5555/naps.2025.001",
        "pmid": "90000001",
        "pmcid": "PMC9000001",
        "type": "Journal Article; Retracted Publication",
        "language": "eng; ger",
        "keywords": "Humans; *Sleep/physiology; naps; shift work",
        "issn": "1234-5678 (Electronic); 1234-5679 (Linking)",
    }
    assert other == {
        "OWN": ["NLM"],
        "STAT": ["MEDLINE"],
        "DCOM": ["20260102"],
        "LR": ["20260301"],
        "DP": ["2025 Nov-Dec"],
        "LID": ["e12 [pii]"],
        "CI": ["(c) 2025 The Authors."],
        "AU": ["Muster E", "Ejemplo J"],
        "AUID": ["ORCID: 0000-0000-0000-0001"],
        "AD": ["Nowhere University."],
        "DEP": ["20251103"],
        "TA": ["J Fict Sleep"],
        "JID": ["1000001"],
        "RIN": ["J Fict Sleep. 2026;13(1):9. PMID: 90000009"],
        "OAB": ["Publisher: Abstract available from the publisher."],
        "OABL": ["ger"],
        "OTO": ["NOTNLM"],
        "MID": ["NIHMS1"],
        "AID": ["e12 [pii]"],
        "PST": ["epublish"],
        "SO": ["J Fict Sleep. 2025 Nov-Dec;12(3):e12. doi: 10.5555/naps.2025.001."],
    }


BOTH = f"{NAPS}\n{TEA}"


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("as PubMed writes it", b"\n" + BOTH.encode(), [2, 50]),
        ("byte-order mark", b"\xef\xbb\xbf" + BOTH.encode(), [1, 49]),
        ("byte-order mark and blank lines", b"\xef\xbb\xbf\r\n \r\n" + BOTH.replace("\n", "\r\n").encode(), [3, 51]),
        ("CRLF", BOTH.replace("\n", "\r\n").encode(), [1, 49]),
        ("CR alone", BOTH.replace("\n", "\r").encode(), [1, 49]),
        ("UTF-16", BOTH.encode("utf-16"), [1, 49]),
        ("no blank line between records", (NAPS + TEA).encode(), [1, 48]),
        ("many blank lines", (NAPS + "\n \n\t\n\n" + TEA + "\n\n").encode(), [1, 52]),
        ("no line break at the end", BOTH.rstrip().encode(), [1, 49]),
        ("every line followed by a blank one", BOTH.replace("\n", "\n\n").encode(), [1, 97]),
        ("continued with a tab", BOTH.replace("\n      ", "\n\t").encode(), [1, 49]),
        ("continued with two spaces", BOTH.replace("\n      ", "\n  ").encode(), [1, 49]),
        ("trailing blanks", BOTH.replace("\n", "  \n").encode(), [1, 49]),
        ("no blank after PMID-", BOTH.replace("PMID- 9", "PMID-9").encode(), [1, 49]),
    ],
)
def test_ways_of_writing_give_the_same_records(tmp_path: Path, name: str, content: bytes, lines: list[int]) -> None:
    found = read(tmp_path / "t.nbib", content)
    wanted = read(tmp_path / "plain.nbib", BOTH)
    assert found.rows == wanted.rows, name
    assert found.lines == lines
    assert found.table.notes == ()
    assert found.table.format == "medline"


def test_a_record_gives_its_own_text_back_untouched(tmp_path: Path) -> None:
    text = ("\r\n" + BOTH.replace("\n", "\r\n")).encode()
    found = read(tmp_path / "t.nbib", text)
    assert found.raws == [part.strip().replace("\n", "\r\n") for part in (NAPS, TEA)]


def test_it_is_known_by_its_content_in_gzip_zip_and_txt(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(BOTH.encode()))
    (tmp_path / "b.txt").write_text(BOTH, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("in/pubmed.nbib", BOTH)
    for name in ("a.gz", "b.txt", "c.zip"):
        assert [line for line, _ in open_table(tmp_path / name).rows()] == [1, 49]


def test_lines_above_the_first_record_are_noted(tmp_path: Path) -> None:
    found = read(tmp_path / "t.txt", "<pre>\nSaved from a page\n\n" + TEA)
    assert found.lines == [4]
    assert [(note.line, note.what) for note in found.table.notes] == [
        (1, "a line without a tag: '<pre>'"),
        (2, "a line without a tag: 'Saved from a page'"),
    ]


def test_a_line_at_the_margin_goes_on_with_its_field_and_is_noted(tmp_path: Path) -> None:
    found = read(tmp_path / "t.nbib", "PMID- 1\nTI  - T\nAB  - One\ntwo\n      three\nDP  - 2020\n\nPMID- 2\nTI  - U\n")
    assert found.column("abstract") == ["One two three", None]
    assert [(note.line, note.what) for note in found.table.notes] == [(4, "a line without a tag: 'two'")]


def test_text_between_records_belongs_to_none_of_them(tmp_path: Path) -> None:
    found = read(tmp_path / "t.nbib", f"{TEA}\nRecord 2 of 2\n\n{NAPS}")
    assert found.raws == [TEA.strip(), NAPS.strip()]
    assert [(note.line, note.level) for note in found.table.notes] == [(6, "warning")]


def test_text_within_a_record_is_kept_under_text(tmp_path: Path) -> None:
    (only,) = read(tmp_path / "t.nbib", "PMID- 1\nTI  - T\n\nstray\n\nDP  - 2020\n").rows
    assert json.loads(str(only["other"])) == {"text": ["stray"]}
    assert only["year"] == "2020"


def test_old_files_begin_their_records_with_ui(tmp_path: Path) -> None:
    old = "UI  - 88000001\nPMID- 8000001\nTI  - Old.\nDP  - 1988 Spring\n\nUI  - 88000002\nTI  - Older.\nDP  - 1987\n"
    found = read(tmp_path / "t.txt", old)
    assert found.column("accession_number") == ["88000001", "88000002"]
    assert found.column("pmid") == ["8000001", None]
    assert found.column("year") == ["1988", "1987"]


def test_a_ui_after_the_pmid_begins_no_record(tmp_path: Path) -> None:
    found = read(tmp_path / "t.nbib", "PMID- 1\nUI  - 88000001\nTI  - T.\n\nPMID- 2\nUI  - 88000002\nTI  - U.\n")
    assert found.column("accession_number") == ["88000001", "88000002"]


OVID = """\
<1. >
VN  - Ovid Technologies
DB  - Ovid MEDLINE(R) <1946 to 2026>
UI  - 90000001
AU  - Muster E
AU  - Ejemplo J
TI  - Planned naps.
SO  - Journal of Fictional Sleep. 12(3):1-9, 2025.
Series Information:  Made up.
PT  - Journal Article
LG  - English
AB  - Naps help.
DO  - https://dx.doi.org/10.5555/naps
YR  - 2025

<24. >
VN  - Ovid Technologies
DB  - Embase
AN  - 2000000001
TI  - Tea.
YR  - 2019
"""


def test_ovid_tagged_files_are_read(tmp_path: Path) -> None:
    found = read(tmp_path / "ovid.txt", OVID.replace("\n", "\r\n"))
    assert found.lines == [2, 17]
    assert found.column("pmid") == ["90000001", None]
    assert found.column("accession_number") == [None, "2000000001"]
    assert found.column("authors") == ["Muster E; Ejemplo J", None]
    assert found.column("doi") == ["10.5555/naps", None]
    assert found.column("year") == ["2025", "2019"]
    assert found.column("database") == ["Ovid MEDLINE(R) <1946 to 2026>", "Embase"]
    assert [note.line for note in found.table.notes] == [9]
    assert "<24. >" not in "".join(found.raws)


ERIC = """\

OWN - ERIC
TI  - Naps in class
AU  - Muster, Erika
OT  - Sleep
AID - http://dx.doi.org/10.5555/eric
OID - EJ9000001
DP  - Apr 2019
LID - http://eric.example/?id=EJ9000001
AB  - Pupils slept.
ISSN - ISSN-1234-5678
PT  - Journal Articles

OWN - ERIC
TI  - Tea in class
OID - ED9000002
DP  - 2017
"""


def test_eric_files_have_no_pmid(tmp_path: Path) -> None:
    found = read(tmp_path / "eric.nbib", ERIC.replace("\n", "\r\n"))
    assert found.lines == [2, 14]
    assert found.column("accession_number") == ["EJ9000001", "ED9000002"]
    assert found.column("doi") == ["10.5555/eric", None]
    assert found.column("url") == ["http://eric.example/?id=EJ9000001", None]
    assert found.column("issn") == ["ISSN-1234-5678", None]
    assert found.column("abstract") == ["Pupils slept.", None]
    assert found.column("year") == ["2019", "2017"]


def test_books_and_titles_in_another_language(tmp_path: Path) -> None:
    found = read(
        tmp_path / "t.nbib",
        "PMID- 1\nBTI - A book of naps\nFED - Muster, Erika\nED  - Muster E\nISBN- 9780000000001\nDP  - 2011\n\n"
        "PMID- 2\nTI  - A chapter\nBTI - A book of naps\nCN  - Group\n\n"
        "PMID- 3\nTI  - [Not Available].\nTT  - Nickerchen.\nLA  - ger\nDEP - 20200102\n",
    )
    assert found.column("title") == ["A book of naps", "A chapter", "Nickerchen."]
    others = [json.loads(str(other)) for other in found.column("other")]
    assert others[0]["ISBN"] == ["9780000000001"]
    assert others[1] == {"BTI": ["A book of naps"]}
    assert others[2] == {"TI": ["[Not Available]."], "DEP": ["20200102"]}
    assert found.column("year") == ["2011", None, "2020"]


def test_a_second_doi_that_differs_is_kept(tmp_path: Path) -> None:
    (only,) = read(tmp_path / "t.nbib", "PMID- 1\nTI  - T\nLID - 10.5/a [doi]\nAID - 10.5/b [doi]\n").rows
    assert only["doi"] == "10.5/a"
    assert json.loads(str(only["other"])) == {"AID": ["10.5/b [doi]"]}


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (NAPS + TEA.replace("PMID- 90000002\n", ""), 48, "a second TI in the record that begins on line 1"),
        (ERIC.replace("OWN - ERIC\nTI  - Tea", "TI  - Tea"), 14, "a second TI in the record that begins on line 2"),
        ("PMID- 1\nTI  - T\n\n  PMID- 2\nDP  - 2019\n", 4, "record 2, on line 4, was counted and could not be read"),
        ("PMID- 1\nTI  - T\n\nPMID: 2\nDP  - 2019\n", 4, "record 2, on line 4, was counted and could not be read"),
        ("PMID- 1\nTI  - T\n\nPMID -2\nDP  - 2019\n", 4, "record 2, on line 4, was counted and could not be read"),
    ],
)
def test_a_record_whose_first_line_is_damaged_refuses_the_file(
    tmp_path: Path, content: str, line: int, what: str
) -> None:
    (finding,) = refused(tmp_path / "t.nbib", content)
    assert what in finding.what
    assert finding.line == line


def test_a_file_cut_within_its_last_record_is_noted(tmp_path: Path) -> None:
    found = read(tmp_path / "t.nbib", BOTH.partition("SO  - J Fict Tea")[0])
    assert len(found.rows) == 2
    assert [(note.line, note.what[:25]) for note in found.table.notes] == [(49, "the last record has no SO")]


def test_a_cut_at_any_byte_never_loses_a_record_that_is_there(tmp_path: Path) -> None:
    whole = BOTH.encode()
    path = tmp_path / "t.nbib"
    for end in range(len("PMID- 9"), len(whole)):
        path.write_bytes(whole[:end])
        table = open_table(path)
        assert len(list(table.rows())) == 1 + (end > whole.rindex(b"PMID- 9") + 4), end


def test_a_long_file_is_read_in_pieces(tmp_path: Path) -> None:
    n = 700
    text = "\n".join(NAPS.replace("90000001", str(n)) for n in range(1, n + 1))
    found = read(tmp_path / "t.nbib", text)
    assert found.column("pmid") == [str(n) for n in range(1, n + 1)]
    assert found.lines == [1 + 48 * n for n in range(n)]
    assert set(found.column("title")) == set(read(tmp_path / "one.nbib", NAPS).column("title"))


def test_a_record_longer_than_the_pieces_is_whole(tmp_path: Path) -> None:
    long = "word " * 500_000
    found = read(tmp_path / "t.nbib", f"PMID- 1\nTI  - T\nAB  - {long}\n\n{TEA}")
    assert found.column("abstract") == [long.strip(), None]


def test_what_has_no_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.nbib.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(TEA.encode() + b"AB  - " + b"x" * (70 << 20))
    with pytest.raises(RecordsError, match="in which no record begins"):
        open_table(path)
