"""EndNote XML: files as EndNote and those who write for it make them; all references are fictional."""

import json
from pathlib import Path

import pytest

from tests.support.references_xml import read, refused


def styled(text: str) -> str:
    return f'<style face="normal" font="default" size="100%">{text}</style>'


NAPS = (
    '<record><database name="My.enl" path="C:\\My.enl">My.enl</database>'
    '<source-app name="EndNote" version="20.4">EndNote</source-app><rec-number>412</rec-number>'
    '<foreign-keys><key app="EN" db-id="abc" timestamp="1">412</key></foreign-keys>'
    '<ref-type name="Journal Article">17</ref-type><contributors><authors>'
    f"<author>{styled('Muster, Erika')}</author><author>{styled('Ejemplo, J.')}</author></authors>"
    f"<secondary-authors><author>{styled('Editor, An')}</author></secondary-authors></contributors>"
    f"<auth-address>{styled('Nowhere University.')}</auth-address>"
    f'<titles><title>{styled("Naps ")}<style face="italic">in vivo</style>{styled(" and H")}'
    f'<style face="subscript">2</style>{styled("O &lt;i&gt;")}</title>'
    f"<secondary-title>{styled('J Fict Sleep')}</secondary-title><short-title>{styled('Naps')}</short-title></titles>"
    f"<periodical><full-title>{styled('Journal of fictional sleep')}</full-title>"
    "<abbr-1>J Fict Sleep</abbr-1></periodical>"
    f"<pages>{styled('1-9')}</pages><volume>{styled('12')}</volume><number>{styled('3')}</number>"
    f"<keywords><keyword>{styled('naps')}</keyword><keyword>{styled('shift work&#xD;*Sleep')}</keyword></keywords>"
    f"<dates><year>{styled('2025')}</year><pub-dates><date>{styled('Nov-Dec')}</date></pub-dates></dates>"
    f"<isbn>{styled('1234-5678 (Electronic)&#xD;1234-5679 (Linking)')}</isbn>"
    f"<accession-num>{styled('90000001')}</accession-num>"
    f"<abstract>{styled('BACKGROUND: Night work.&#xD;RESULTS: Naps help (p &lt; 0.05).')}</abstract>"
    f"<notes>{styled('Muster, Erika&#xD;eng&#xD;Retracted')}</notes>"
    f"<urls><related-urls><url>{styled('https://example.org/naps')}</url></related-urls>"
    "<pdf-urls><url>internal-pdf://1/naps.pdf</url></pdf-urls></urls>"
    f"<custom2>{styled('PMC9000001')}</custom2><custom7>{styled('e12')}</custom7>"
    f"<electronic-resource-num>{styled('https://doi.org/10.5555/naps.2025.001')}</electronic-resource-num>"
    f"<remote-database-provider>{styled('NLM')}</remote-database-provider><language>{styled('eng')}</language>"
    "</record>"
)


def library(*records: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8" ?><xml><records>{"".join(records)}</records></xml>\n'


def record(title: str, more: str = "") -> str:
    return f"<record><ref-type>17</ref-type><titles><title>{title}</title></titles>{more}</record>"


def test_every_element_of_a_record_is_in_its_column(tmp_path: Path) -> None:
    found = read(tmp_path / "library.xml", library(NAPS))
    (only,) = found.rows
    other = json.loads(str(only.pop("other")))
    assert only == {
        "title": "Naps in vivo and H₂O <i>",
        "abstract": "BACKGROUND: Night work.\nRESULTS: Naps help (p < 0.05).",
        "authors": "Muster, Erika; Ejemplo, J.",
        "year": "2025",
        "journal": "Journal of fictional sleep",
        "volume": "12",
        "issue": "3",
        "pages": "1-9",
        "doi": "10.5555/naps.2025.001",
        "pmid": "90000001",
        "pmcid": "PMC9000001",
        "type": "Journal Article",
        "language": "eng",
        "keywords": "naps; shift work; *Sleep",
        "issn": "1234-5678 (Electronic); 1234-5679 (Linking)",
        "url": "https://example.org/naps",
    }
    assert other == {
        "database": ["My.enl"],
        "source-app": ["EndNote"],
        "rec-number": ["412"],
        "key": ["412"],
        "secondary-authors/author": ["Editor, An"],
        "auth-address": ["Nowhere University."],
        "secondary-title": ["J Fict Sleep"],
        "short-title": ["Naps"],
        "abbr-1": ["J Fict Sleep"],
        "date": ["Nov-Dec"],
        "notes": ["Muster, Erika\neng\nRetracted"],
        "pdf-urls/url": ["internal-pdf://1/naps.pdf"],
        "custom2": ["PMC9000001"],
        "custom7": ["e12"],
        "remote-database-provider": ["NLM"],
    }
    assert found.raws == [NAPS]
    assert found.table.format == "endnote_xml"


@pytest.mark.parametrize(
    ("more", "column", "value"),
    [
        ("<accession-num>WOS:000000000000001</accession-num>", "accession_number", "WOS:000000000000001"),
        ("<accession-num>90000001</accession-num>", "accession_number", "90000001"),
        (
            "<accession-num>90000001</accession-num><remote-database-name>Medline</remote-database-name>",
            "pmid",
            "90000001",
        ),
        (
            "<accession-num>90000001</accession-num><remote-database-name>Embase</remote-database-name>",
            "accession_number",
            "90000001",
        ),
        ("<electronic-resource-num>doi: 10.5555/x</electronic-resource-num>", "doi", "10.5555/x"),
        ("<electronic-resource-num>e12</electronic-resource-num>", "doi", None),
        ("<electronic-resource-num>e12</electronic-resource-num>", "other", '{"electronic-resource-num":["e12"]}'),
        ("<urls><related-urls><url>http://dx.doi.org/10.5555/x</url></related-urls></urls>", "doi", "10.5555/x"),
        ("<dates><year>c. 1998 Spring</year></dates>", "year", "1998"),
        ("<dates><year>in press</year></dates>", "year", "in press"),
        ("<isbn>978-0-00-000000-1</isbn>", "other", '{"isbn":["978-0-00-000000-1"]}'),
        ("<isbn>12345678</isbn>", "issn", "12345678"),
        ("<alt-title>Not a journal</alt-title>", "journal", None),
        ("<titles><secondary-title>Proceedings</secondary-title></titles>", "journal", "Proceedings"),
        ("<unknown><deep><leaf>x</leaf></deep></unknown>", "other", '{"unknown/leaf":["x"]}'),
        ("<ref-type name='Book'>6</ref-type>", "type", "17"),
    ],
)
def test_one_element_at_a_time(tmp_path: Path, more: str, column: str, value: str | None) -> None:
    (only,) = read(tmp_path / "t.xml", library(record("T", more))).rows
    assert only.get(column) == value


@pytest.mark.parametrize(
    "text",
    [
        library(record("A"), record("B")),
        "\ufeff" + library(record("A"), record("B")),
        library(record("A"), record("B")).partition("?>")[2],
        library(record("A"), record("B")).replace("><", ">\r\n<"),
        library("<!-- <record> -->", record("A"), "<![CDATA[ ]]>", record("B")),
        f"<?xml version='1.0'?>\n<!-- by hand -->\n<records>{record('A')}{record('B')}</records>",
        library(record("A"), record("B")).replace("<xml>", "<xml xmlns='http://example.org/ns'>"),
    ],
)
def test_ways_of_writing_give_the_same_records(tmp_path: Path, text: str) -> None:
    found = read(tmp_path / "t.txt", text)
    assert found.column("title") == ["A", "B"]
    assert found.column("type") == ["17", "17"]


def test_a_record_without_anything_is_counted_too(tmp_path: Path) -> None:
    found = read(tmp_path / "t.xml", library(record("A"), "<record></record>", "<record/>", record("B")))
    assert found.column("title") == ["A", None, None, "B"]
    assert found.raws[1:3] == ["<record></record>", "<record/>"]


def test_a_missing_end_is_refused(tmp_path: Path) -> None:
    (finding,) = refused(tmp_path / "t.xml", library(record("A"), record("B")).replace("</record></records></xml>", ""))
    assert finding.what == "the XML breaks off (no element found), after 1 whole record"


def test_a_cut_at_any_byte_is_refused(tmp_path: Path) -> None:
    whole = library(record("A"), NAPS).strip().encode()
    for end in range(whole.index(b"<record>") + 9, len(whole), 3):
        refused(tmp_path / "t.xml", whole[:end])
    assert len(read(tmp_path / "t.xml", whole).rows) == 2


def test_styles_above_and_below_the_line(tmp_path: Path) -> None:
    title = '10<style face="superscript" size="100%">6</style> CO<style face="bold subscript">2</style>'
    found = read(
        tmp_path / "t.xml", f"<xml><records><record><title><style>{title}</style></title></record></records></xml>"
    )
    assert found.column("title") == ["10⁶ CO₂"]
