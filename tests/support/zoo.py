"""Files as databases and reference managers write them, all fictional, each with the counts it has to give.

Every title ends in a word of its own (`zq0001x`), so that a test sees where a record went. `ZOO` is the table.
"""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Exhibit:
    """content: the file's bytes. format, records, with_abstract: what reading it has to say."""

    name: str
    content: bytes
    format: str
    records: int
    with_abstract: int


@dataclass(frozen=True, slots=True)
class Work:
    """A publication of nobody. mark: the word its title ends in."""

    mark: str
    title: str
    abstract: str
    authors: tuple[str, ...]
    year: str
    journal: str
    doi: str
    pmid: str
    keywords: tuple[str, ...]
    kind: str = "JOUR"


WORKS: Final = (
    Work(
        "zq0001x",
        "Planned naps on the night shift of a fictional ward: zq0001x",
        "Background: nurses were tired. Forty of them slept for half an hour at three (p < 0.05) - and stayed awake.",
        ("Aster, Ann", "Bell, Bo"),
        "2021",
        "Journal of Made-Up Sleep",
        "10.5555/nap.1",
        "91000001",
        ("Sleep", "Night work"),
    ),
    Work(
        "zq0002x",
        "Café and sleep — Müdigkeit bei Nachtarbeit, “fiktiv” zq0002x",
        "Zwölf Personen tranken Kaffee; 10 % schliefen. Größe: 3 µg.",
        ("Çelik, Ömer",),
        "2019",
        "Zeitschrift für erfundene Studien",
        "10.5555/kaffee(2019)2",
        "91000002",
        ("Kaffee",),
    ),
    Work("zq0003x", "A letter that nobody wrote zq0003x", "", ("Dorn, D.",), "2018", "Letters", "", "", (), "LETT"),
)
"""Two with an abstract, one without. Nothing in them is outside Windows-1252."""

_N, _HELD = len(WORKS), 2


# --- tagged formats -------------------------------------------------------------------------------------------------


def ris(
    works: Sequence[Work] = WORKS,
    *,
    title: str = "TI",
    abstract: str = "AB",
    author: str = "AU",
    year: str = "PY",
    set_off: str = "  - ",
    end: str = "ER  - ",
    newline: str = "\r\n",
    between: str = "",
    before: str = "",
    more: Sequence[str] = (),
    wrapped: str | None = None,
) -> str:
    """In one dialect. wrapped: what stands before the second half of an abstract, on a line of its own."""
    lines = [before] if before else []
    for number, one in enumerate(works, 1):
        fields = [("TY", one.kind), (title, one.title), *((author, name) for name in one.authors)]
        fields += [(year, one.year), ("JO", one.journal), ("DO", one.doi), *(("KW", word) for word in one.keywords)]
        held = one.abstract
        if wrapped is not None and held:
            held = held[:30] + newline + wrapped + held[30:]
        fields += [(abstract, held)]
        lines += [between.format(number=number)] if between else []
        lines += [f"{tag}{set_off}{value}" for tag, value in fields if value]
        lines += [*more, *([end] if end else []), ""]
    return newline.join(lines) + newline


def medline(
    works: Sequence[Work] = WORKS, *, newline: str = "\n", first: str = "PMID- {}", blank: bool = True, tail: str = ""
) -> str:
    lines: list[str] = []
    for number, one in enumerate(works, 1):
        lines += [first.format(one.pmid or f"9200000{number}"), "OWN - NLM", "STAT- Publisher"]
        words = one.title.split(" ")
        lines += [f"TI  - {' '.join(words[:3])}", f"      {' '.join(words[3:])}"]
        lines += [f"AB  - {one.abstract[:40]}", f"      {one.abstract[40:]}"] if one.abstract else []
        lines += [f"FAU - {name}" for name in one.authors] + [f"DP  - {one.year} Jan", f"JT  - {one.journal}"]
        lines += [f"LID - {one.doi} [doi]"] if one.doi else []
        lines += ["PT  - Journal Article", "LA  - eng", *(f"MH  - {word}" for word in one.keywords)]
        lines += [f"SO  - {one.journal}. {one.year}", *([tail] if tail else []), *([""] if blank else [])]
    return newline.join(lines) + newline


def endnote_tagged(works: Sequence[Work] = WORKS, *, newline: str = "\n", kind: str = "%0 Journal Article") -> str:
    lines: list[str] = []
    for one in works:
        lines += [kind] if kind else []
        lines += [f"%T {one.title}", *(f"%A {name}" for name in one.authors), f"%D {one.year}", f"%J {one.journal}"]
        lines += [f"%X {one.abstract}"] if one.abstract else []
        lines += [f"%R {one.doi}"] if one.doi else []
        lines += [f"%K {newline.join(one.keywords)}"] if one.keywords else []
        lines += ["", ""] if kind else [""]
    return newline.join(lines)


def wos(works: Sequence[Work] = WORKS, *, newline: str = "\n", file: bool = True) -> str:
    lines = ["FN Clarivate Analytics Web of Science", "VR 1.0"] if file else []
    for number, one in enumerate(works, 1):
        lines += ["PT J", f"AU {one.authors[0]}", *(f"   {name}" for name in one.authors[1:])]
        words = one.title.split(" ")
        lines += [f"TI {' '.join(words[:4])}", f"   {' '.join(words[4:])}", f"SO {one.journal.upper()}", "DT Article"]
        lines += [f"DE {'; '.join(one.keywords)}"] if one.keywords else []
        lines += [f"AB {one.abstract}"] if one.abstract else []
        lines += [f"PY {one.year}", *([f"DI {one.doi}"] if one.doi else []), f"UT WOS:00000000000000{number}", "ER", ""]
    return newline.join([*lines, *(["EF"] if file else [])]) + newline


# --- markup ---------------------------------------------------------------------------------------------------------


def xml_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def pubmed_xml(works: Sequence[Work] = WORKS, *, book: bool = False, head: str = "", markup: bool = False) -> str:
    parts = []
    for number, one in enumerate(works, 1):
        held = xml_text(one.abstract)
        if markup and held:
            held = f"<i>{held[:10]}</i>{held[10:]}"
        label = ' Label="BACKGROUND" NlmCategory="BACKGROUND"' if markup else ""
        abstract = f"<Abstract><AbstractText{label}>{held}</AbstractText></Abstract>" if held else ""
        people = "".join(f"<Author><LastName>{xml_text(a.split(',')[0])}</LastName></Author>" for a in one.authors)
        pmid = f'<PMID Version="1">{one.pmid or f"9200000{number}"}</PMID>'
        if book:
            parts.append(
                f"<PubmedBookArticle><BookDocument>{pmid}<Book><BookTitle>A book</BookTitle></Book>"
                f"<ArticleTitle>{xml_text(one.title)}</ArticleTitle>{abstract}</BookDocument></PubmedBookArticle>"
            )
            continue
        ids = f'<ArticleId IdType="doi">{xml_text(one.doi)}</ArticleId>' if one.doi else ""
        parts.append(
            f'<PubmedArticle><MedlineCitation Status="Publisher" Owner="NLM">{pmid}<Article><Journal><JournalIssue>'
            f"<PubDate><Year>{one.year}</Year></PubDate></JournalIssue><Title>{xml_text(one.journal)}</Title></Journal>"
            f"<ArticleTitle>{xml_text(one.title)}</ArticleTitle>{abstract}<AuthorList>{people}</AuthorList>"
            f"<Language>eng</Language></Article></MedlineCitation><PubmedData><ArticleIdList>{ids}</ArticleIdList>"
            "</PubmedData></PubmedArticle>"
        )
    name = "PubmedBookArticleSet" if book else "PubmedArticleSet"
    joined = "\n".join(parts)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}<{name}>\n{joined}\n</{name}>\n'


def endnote_xml(works: Sequence[Work] = WORKS, *, styled: bool = True) -> str:
    def said(text: str) -> str:
        inside = xml_text(text)
        return f'<style face="normal" font="default" size="100%">{inside}</style>' if styled else inside

    parts = []
    for number, one in enumerate(works, 1):
        abstract = f"<abstract>{said(one.abstract)}</abstract>" if one.abstract else ""
        people = "".join(f"<author>{said(name)}</author>" for name in one.authors)
        parts.append(
            f'<record><rec-number>{number}</rec-number><ref-type name="Journal Article">17</ref-type><contributors>'
            f"<authors>{people}</authors></contributors><titles><title>{said(one.title)}</title><secondary-title>"
            f"{said(one.journal)}</secondary-title></titles><dates><year>{said(one.year)}</year></dates>"
            f"<electronic-resource-num>{said(one.doi)}</electronic-resource-num>{abstract}</record>"
        )
    return f'<?xml version="1.0" encoding="UTF-8" ?><xml><records>{"".join(parts)}</records></xml>'


def bibtex(
    works: Sequence[Work] = WORKS,
    *,
    kind: str = "article",
    keyed: bool = True,
    quoted: bool = False,
    around: tuple[str, str] = ("{", "}"),
    before: str = "",
    after: str = "",
    newline: str = "\n",
    one_key: bool = False,
) -> str:
    parts = [before] if before else []
    for number, one in enumerate(works, 1):
        key = ("Same2020" if one_key else f"Key{number}") if keyed else ""
        fields = [("title", one.title), ("author", " and ".join(one.authors)), ("year", one.year)]
        fields += [("journal", one.journal), ("doi", one.doi), ("abstract", one.abstract.replace("%", "\\%"))]
        left, right = ('"', '"') if quoted else ("{", "}")
        body = f",{newline}".join(f"  {name} = {left}{value}{right}" for name, value in fields if value)
        parts.append(f"@{kind}{around[0]}{key},{newline}{body}{newline}{around[1]}{newline}")
    return newline.join([*parts, *([after] if after else [])])


# --- tables ---------------------------------------------------------------------------------------------------------

_SCOPUS: Final = ("Authors", "Title", "Year", "Source title", "DOI", "Abstract", "PubMed ID", "Document Type")


def rows(works: Sequence[Work] = WORKS) -> list[tuple[str, ...]]:
    """In the order of Scopus."""
    return [
        ("; ".join(one.authors), one.title, one.year, one.journal, one.doi, one.abstract, one.pmid, "Article")
        for one in works
    ]


def table(
    separator: str = ",",
    header: Sequence[str] = _SCOPUS,
    *,
    newline: str = "\r\n",
    above: str = "",
    quote: bool = False,
) -> str:
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=separator, lineterminator=newline, quoting=quoting)
    writer.writerows([header, *rows()])
    return above + text.getvalue()


def jsonl() -> str:
    return "".join(json.dumps(dict(zip(_SCOPUS, row, strict=True)), ensure_ascii=False) + "\n" for row in rows())


def workbook(above: Sequence[Sequence[str]] = ()) -> bytes:
    from openpyxl import Workbook

    file, book = io.BytesIO(), Workbook()
    for row in (*above, _SCOPUS, *rows()):
        book.worksheets[0].append(list(row))
    book.save(file)
    return file.getvalue()


def parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(pa.table(dict(zip(_SCOPUS, map(list, zip(*rows(), strict=True)), strict=True))), file)
    return file.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


# --- the table ------------------------------------------------------------------------------------------------------


def _exhibit(name: str, content: str | bytes, format_: str, held: int = _HELD, records: int = _N) -> Exhibit:
    return Exhibit(name, content.encode() if isinstance(content, str) else content, format_, records, held)


_DOCTYPE: Final = (
    '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
    '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">\n'
)

ZOO: Final[dict[str, Callable[[], Exhibit]]] = {
    "RIS, RefWorks: T1, N2, A1, Y1": lambda: _exhibit(
        "r.ris", ris(title="T1", abstract="N2", author="A1", year="Y1"), "ris"
    ),
    "RIS, Zotero": lambda: _exhibit("z.ris", ris(more=["L1  - C:\\x.pdf", "ID  - 7"]), "ris"),
    "RIS, EndNote: LF, blanks after ER": lambda: _exhibit("e.ris", ris(newline="\n", end="ER  -    "), "ris"),
    "RIS, Mac: CR alone": lambda: _exhibit("m.ris", ris(newline="\r"), "ris"),
    "RIS, byte-order mark": lambda: _exhibit("b.ris", ris().encode("utf-8-sig"), "ris"),
    "RIS, UTF-16": lambda: _exhibit("u.ris", ris().encode("utf-16"), "ris"),
    "RIS, Windows-1252": lambda: _exhibit("w.ris", ris().encode("cp1252"), "ris"),
    "RIS, Ovid: <1> between": lambda: _exhibit("o.ris", ris(between="<{number}>"), "ris"),
    "RIS, Cochrane: Record #1 of 3": lambda: _exhibit("c.ris", ris(between="Record #{number} of 3"), "ris"),
    "RIS, Embase: provider lines above": lambda: _exhibit(
        "p.ris", ris(before="Provider: Fiction\r\nContent: text/plain\r\n"), "ris"
    ),
    "RIS, one blank before the dash": lambda: _exhibit("s.ris", ris(set_off=" - ", end="ER - "), "ris"),
    "RIS, wrapped lines at the margin": lambda: _exhibit("l.ris", ris(wrapped=""), "ris"),
    "RIS, wrapped lines set in": lambda: _exhibit("i.ris", ris(wrapped="      "), "ris"),
    "RIS, no ER at the very end": lambda: _exhibit("t.ris", ris().rstrip().removesuffix("ER  -"), "ris"),
    "RIS, named .txt": lambda: _exhibit("export.txt", ris(), "ris"),
    "RIS, gzip": lambda: _exhibit("g.ris.gz", gzip.compress(ris().encode()), "ris"),
    "MEDLINE, PubMed": lambda: _exhibit("p.nbib", medline(), "medline"),
    "MEDLINE, CRLF, no blank lines": lambda: _exhibit("q.nbib", medline(newline="\r\n", blank=False), "medline"),
    "MEDLINE, byte-order mark and blank lines above": lambda: _exhibit(
        "b.nbib", ("\n\n" + medline()).encode("utf-8-sig"), "medline"
    ),
    "MEDLINE, named .txt": lambda: _exhibit("pubmed-nap-set.txt", medline(), "medline"),
    "MEDLINE, old UI lines": lambda: _exhibit("old.txt", medline(first="UI  - {}"), "medline"),
    "PubMed XML with its DOCTYPE": lambda: _exhibit("p.xml", pubmed_xml(head=_DOCTYPE), "pubmed_xml"),
    "PubMed XML, labels and markup": lambda: _exhibit("m.xml", pubmed_xml(markup=True), "pubmed_xml"),
    "PubMed XML, books": lambda: _exhibit("b.xml", pubmed_xml(book=True), "pubmed_xml"),
    "PubMed XML, gzip": lambda: _exhibit("p.xml.gz", gzip.compress(pubmed_xml().encode()), "pubmed_xml"),
    "EndNote XML, styled runs": lambda: _exhibit("e.xml", endnote_xml(), "endnote_xml"),
    "EndNote XML, Mendeley: no styles": lambda: _exhibit("n.xml", endnote_xml(styled=False), "endnote_xml"),
    "EndNote tagged": lambda: _exhibit("e.enw", endnote_tagged(), "endnote_tagged"),
    "EndNote tagged, CRLF": lambda: _exhibit("c.enw", endnote_tagged(newline="\r\n"), "endnote_tagged"),
    "refer, no %0": lambda: _exhibit("r.enw", endnote_tagged(kind=""), "endnote_tagged"),
    "Web of Science": lambda: _exhibit("savedrecs.txt", wos(), "wos"),
    "Web of Science, byte-order mark, CRLF": lambda: _exhibit(
        "savedrecs.ciw", wos(newline="\r\n").encode("utf-8-sig"), "wos"
    ),
    "BibTeX, Zotero": lambda: _exhibit("z.bib", bibtex(), "bibtex"),
    "BibTeX, JabRef: encoding line and groups": lambda: _exhibit(
        "j.bib",
        bibtex(before="% Encoding: UTF-8\n", after="@Comment{jabref-meta: databaseType:bibtex;}\n"),
        "bibtex",
    ),
    "BibTeX, no keys": lambda: _exhibit("k.bib", bibtex(keyed=False), "bibtex"),
    "BibTeX, one key for all": lambda: _exhibit("d.bib", bibtex(one_key=True), "bibtex"),
    "BibTeX, parentheses, capitals": lambda: _exhibit("p.bib", bibtex(kind="ARTICLE", around=("(", ")")), "bibtex"),
    "BibTeX, quotes and CRLF": lambda: _exhibit("q.bib", bibtex(quoted=True, newline="\r\n"), "bibtex"),
    "BibTeX, Scopus: lines of its own above": lambda: _exhibit(
        "s.bib", bibtex(before="Scopus\nEXPORT DATE: 22 November 2026\n"), "bibtex"
    ),
    "BibTeX, Windows-1252": lambda: _exhibit("w.bib", bibtex().encode("cp1252"), "bibtex"),
    "CSV, Scopus: byte-order mark": lambda: _exhibit("scopus.csv", table().encode("utf-8-sig"), "csv"),
    "CSV, German Excel: semicolons, Windows-1252": lambda: _exhibit("x.csv", table(";").encode("cp1252"), "csv"),
    "CSV, sep= line": lambda: _exhibit("s.csv", table(";", above="sep=;\r\n"), "csv"),
    "CSV, lines of a database above": lambda: _exhibit(
        "a.csv", table(above="Search results,,,,,,,\r\nExported on,2026-11-22,,,,,,\r\n\r\n"), "csv"
    ),
    "CSV, everything quoted, LF": lambda: _exhibit("q.csv", table(quote=True, newline="\n"), "csv"),
    "CSV, vertical bars": lambda: _exhibit("v.csv", table("|"), "csv"),
    "TSV, UTF-16 as Excel saves it": lambda: _exhibit("u.txt", table("\t").encode("utf-16"), "tsv"),
    "JSON Lines": lambda: _exhibit("j.jsonl", jsonl(), "jsonl"),
    "XLSX": lambda: _exhibit("x.xlsx", workbook(), "xlsx"),
    "XLSX, lines above the header": lambda: _exhibit("h.xlsx", workbook([["Search results"], []]), "xlsx"),
    "Parquet": lambda: _exhibit("p.parquet", parquet(), "parquet"),
    "CSV in a zip archive": lambda: _exhibit("z.zip", zipped({"a/scopus.csv": table().encode()}), "csv"),
}
