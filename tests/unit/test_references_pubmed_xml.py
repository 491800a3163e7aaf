"""PubMed XML: files as PubMed and NLM make them, with every oddity, and hostile ones; all references are fictional."""

import json
from pathlib import Path

import pytest

from overnight.errors import Finding
from tests.support.references_xml import read, refused

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
DOCTYPE = (
    '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
    '"https://dtd.example/pubmed_250101.dtd">\n'
)
NAPS = """\
<PubmedArticle>
  <MedlineCitation Status="MEDLINE" Owner="NLM">
    <PMID Version="1">90000001</PMID>
    <DateCompleted><Year>2026</Year><Month>01</Month><Day>02</Day></DateCompleted>
    <Article PubModel="Print-Electronic">
      <Journal><ISSN IssnType="Electronic">1234-5678</ISSN>
        <JournalIssue CitedMedium="Internet"><Volume>12</Volume><Issue>3</Issue>
          <PubDate><MedlineDate>2025 Nov-Dec</MedlineDate></PubDate></JournalIssue>
        <Title>Journal of fictional sleep</Title><ISOAbbreviation>J Fict Sleep</ISOAbbreviation></Journal>
      <ArticleTitle>Naps &amp; H<sub>2</sub>O: <i>in vivo</i> at p &lt; 0.05</ArticleTitle>
      <Pagination><StartPage>1</StartPage><EndPage>9</EndPage><MedlinePgn>1-9</MedlinePgn></Pagination>
      <ELocationID EIdType="doi" ValidYN="N">10.5555/wrong</ELocationID>
      <ELocationID EIdType="pii" ValidYN="Y">e12</ELocationID>
      <ELocationID EIdType="doi" ValidYN="Y">10.5555/naps.2025.001</ELocationID>
      <Abstract>
        <AbstractText Label="BACKGROUND" NlmCategory="BACKGROUND">Night work
          tires people.</AbstractText>
        <AbstractText Label="METHODS">Dose <mml:math xmlns:mml="http://www.w3.org/1998/Math/MathML"><mml:msup><mml:mi>x</mml:mi><mml:mn>2</mml:mn></mml:msup></mml:math> of 10<sup>-3</sup> g.</AbstractText>
        <AbstractText>Naps help.</AbstractText>
        <CopyrightInformation>(c) 2025 The Authors.</CopyrightInformation>
      </Abstract>
      <AuthorList CompleteYN="Y">
        <Author ValidYN="Y"><LastName>Muster</LastName><ForeName>Erika</ForeName><Initials>E</Initials>
          <Identifier Source="ORCID">0000-0000-0000-0001</Identifier>
          <AffiliationInfo><Affiliation>Nowhere University.</Affiliation></AffiliationInfo></Author>
        <Author ValidYN="Y"><LastName>Ejemplo</LastName><Initials>J</Initials><Suffix>Jr</Suffix></Author>
        <Author ValidYN="N"><LastName>Ejemplo</LastName><Initials>I</Initials></Author>
        <Author ValidYN="Y"><CollectiveName>Naps Study Group</CollectiveName></Author>
      </AuthorList>
      <Language>eng</Language><Language>ger</Language>
      <PublicationTypeList><PublicationType UI="D016428">Journal Article</PublicationType>
        <PublicationType UI="D016441">Retracted Publication</PublicationType></PublicationTypeList>
      <VernacularTitle>Nickerchen</VernacularTitle>
      <ArticleDate DateType="Electronic"><Year>2025</Year><Month>11</Month><Day>03</Day></ArticleDate>
    </Article>
    <MedlineJournalInfo><Country>Nowhere</Country><MedlineTA>J Fict Sleep</MedlineTA></MedlineJournalInfo>
    <CommentsCorrectionsList><CommentsCorrections RefType="RetractionIn"><RefSource>J Fict Sleep. 2026;13:9</RefSource>
      <PMID Version="1">90000009</PMID></CommentsCorrections></CommentsCorrectionsList>
    <MeshHeadingList><MeshHeading><DescriptorName UI="D1" MajorTopicYN="N">Sleep</DescriptorName>
      <QualifierName UI="Q1" MajorTopicYN="Y">physiology</QualifierName></MeshHeading></MeshHeadingList>
    <OtherAbstract Type="Publisher" Language="ger"><AbstractText>Auf Deutsch.</AbstractText></OtherAbstract>
    <KeywordList Owner="NOTNLM"><Keyword MajorTopicYN="N">naps</Keyword><Keyword>shift <i>work</i></Keyword></KeywordList>
  </MedlineCitation>
  <PubmedData>
    <PublicationStatus>ppublish</PublicationStatus>
    <ArticleIdList><ArticleId IdType="pubmed">90000001</ArticleId><ArticleId IdType="doi">10.5555/naps.2025.001</ArticleId>
      <ArticleId IdType="pmc">PMC9000001</ArticleId><ArticleId IdType="pii">e12</ArticleId></ArticleIdList>
    <ReferenceList><Reference><Citation>Another paper. 1999.</Citation>
      <ArticleIdList><ArticleId IdType="pubmed">11111111</ArticleId><ArticleId IdType="doi">10.5555/another</ArticleId>
      </ArticleIdList></Reference></ReferenceList>
  </PubmedData>
</PubmedArticle>
"""  # noqa: E501 - one line of mathematics


def article(pmid: int, inner: str = "") -> str:
    title = f"<ArticleTitle>Paper {pmid}</ArticleTitle>"
    return (
        f"<PubmedArticle><MedlineCitation><PMID>{pmid}</PMID><Article>{title}{inner}</Article></MedlineCitation>"
        "</PubmedArticle>"
    )


def articles(*records: str) -> str:
    return f"{HEAD}<PubmedArticleSet>\n{''.join(records)}</PubmedArticleSet>\n"


def test_every_element_of_an_article_is_in_its_column(tmp_path: Path) -> None:
    (only,) = read(tmp_path / "pubmed.xml", HEAD + DOCTYPE + f"<PubmedArticleSet>{NAPS}</PubmedArticleSet>").rows
    other = json.loads(str(only.pop("other")))
    assert only == {
        "title": "Naps & H₂O: in vivo at p < 0.05",
        "abstract": "BACKGROUND: Night work tires people.\nMETHODS: Dose x² of 10⁻³ g.\nNaps help.",
        "authors": "Muster, Erika; Ejemplo, J, Jr; Naps Study Group",
        "year": "2025",
        "journal": "Journal of fictional sleep",
        "volume": "12",
        "issue": "3",
        "pages": "1-9",
        "doi": "10.5555/naps.2025.001",
        "pmid": "90000001",
        "pmcid": "PMC9000001",
        "type": "Journal Article; Retracted Publication",
        "language": "eng; ger",
        "keywords": "Sleep/*physiology; naps; shift work",
        "issn": "1234-5678",
    }
    assert other == {
        "Status": ["MEDLINE"],
        "Owner": ["NLM"],
        "DateCompleted": ["2026 01 02"],
        "PubModel": ["Print-Electronic"],
        "CitedMedium": ["Internet"],
        "PubDate": ["2025 Nov-Dec"],
        "ISOAbbreviation": ["J Fict Sleep"],
        "ELocationID": ["doi: 10.5555/wrong", "pii: e12"],
        "CopyrightInformation": ["(c) 2025 The Authors."],
        "Affiliation": ["Nowhere University."],
        "Identifier": ["ORCID: 0000-0000-0000-0001"],
        "Author": ["Ejemplo, I"],
        "VernacularTitle": ["Nickerchen"],
        "ArticleDate": ["Electronic: 2025 11 03"],
        "Country": ["Nowhere"],
        "MedlineTA": ["J Fict Sleep"],
        "CommentsCorrectionsList": ["RetractionIn: J Fict Sleep. 2026;13:9 90000009"],
        "OtherAbstract": ["Publisher ger: Auf Deutsch."],
        "PublicationStatus": ["ppublish"],
        "ArticleId": ["pii: e12"],
        "ReferenceList": ["Another paper. 1999. 11111111 10.5555/another"],
    }


def test_numbers_of_other_papers_are_never_taken(tmp_path: Path) -> None:
    text = NAPS.replace('<PMID Version="1">90000001</PMID>', "")
    for mine in ('<ELocationID EIdType="doi" ValidYN="Y">10.5555/naps.2025.001</ELocationID>',):
        text = text.replace(mine, "")
    text = text[: text.index("<ArticleIdList>")] + text[text.index("<ReferenceList>") :]
    (only,) = read(tmp_path / "t.xml", f"<PubmedArticleSet>{text}</PubmedArticleSet>").rows
    assert "pmid" not in only
    assert "doi" not in only


BOOK = """<PubmedBookArticle><BookDocument><PMID Version="1">20301299</PMID>
<ArticleIdList><ArticleId IdType="bookaccession">NBK9</ArticleId></ArticleIdList>
<Book><Publisher><PublisherName>Nobody</PublisherName></Publisher><BookTitle book="x">A book of naps</BookTitle>
<PubDate><Year>1993</Year></PubDate><AuthorList Type="editors"><Author><LastName>Muster</LastName></Author></AuthorList>
<Isbn>9780000000001</Isbn></Book>{title}<Language>eng</Language>
<AuthorList Type="authors"><Author><LastName>Ejemplo</LastName><ForeName>Juan</ForeName></Author></AuthorList>
<PublicationType UI="D016454">Review</PublicationType><Abstract><AbstractText>Naps.</AbstractText></Abstract>
</BookDocument><PubmedBookData><PublicationStatus>ppublish</PublicationStatus></PubmedBookData></PubmedBookArticle>"""


def test_books_and_chapters_are_records_too(tmp_path: Path) -> None:
    chapter = BOOK.format(title="<ArticleTitle>A chapter</ArticleTitle>")
    found = read(tmp_path / "t.xml", articles(article(1), chapter, BOOK.format(title="")))
    assert found.column("title") == ["Paper 1", "A chapter", "A book of naps"]
    assert found.column("pmid") == ["1", "20301299", "20301299"]
    assert found.column("authors") == [None, "Ejemplo, Juan", "Ejemplo, Juan"]
    assert found.column("abstract") == [None, "Naps.", "Naps."]
    assert found.column("year") == [None, "1993", "1993"]
    assert found.column("type") == [None, "Review", "Review"]
    other = json.loads(str(found.rows[1]["other"]))
    assert other["Editor"] == ["Muster"]
    assert other["ArticleId"] == ["bookaccession: NBK9"]


def test_a_set_of_medline_citations(tmp_path: Path) -> None:
    one, two = (article(n).removeprefix("<PubmedArticle>").removesuffix("</PubmedArticle>") for n in (1, 2))
    found = read(tmp_path / "t.xml", f"<MedlineCitationSet>{one}\n{two}</MedlineCitationSet>")
    assert found.column("pmid") == ["1", "2"]
    assert found.lines == [1, 2]


def test_one_article_without_a_set(tmp_path: Path) -> None:
    assert read(tmp_path / "t.xml", HEAD + NAPS).column("pmid") == ["90000001"]


def test_a_title_that_is_not_available_gives_way_to_the_original_one(tmp_path: Path) -> None:
    record = article(1, "<VernacularTitle>Nickerchen</VernacularTitle>").replace("Paper 1", "[Not Available].")
    (only,) = read(tmp_path / "t.xml", articles(record)).rows
    assert only["title"] == "Nickerchen"
    assert json.loads(str(only["other"])) == {"ArticleTitle": ["[Not Available]."]}


def issue(date: str) -> str:
    return f"<Journal><JournalIssue><PubDate>{date}</PubDate></JournalIssue></Journal>"


@pytest.mark.parametrize(
    ("date", "year"),
    [
        (issue("<Year>2019</Year><Month>Jan</Month>"), "2019"),
        (issue("<MedlineDate>1998 Dec-1999 Jan</MedlineDate>"), "1998"),
        ("<ArticleDate><Year>2020</Year><Month>1</Month><Day>2</Day></ArticleDate>", "2020"),
        (issue("<Season>Spring</Season>"), None),
    ],
)
def test_the_year_is_found_in_each_kind_of_date(tmp_path: Path, date: str, year: str | None) -> None:
    assert read(tmp_path / "t.xml", articles(article(1, date))).column("year") == [year]


def test_places_and_texts_are_those_of_the_file(tmp_path: Path) -> None:
    one, two, three = article(1), article(2), article(3).replace("><", ">\r\n<")
    text = f"{HEAD}<PubmedArticleSet>{one}{two}\r\n\n{three}\n</PubmedArticleSet>"
    found = read(tmp_path / "t.xml", text)
    assert found.lines == [2, 2, 4]
    assert found.raws == [one, two, three]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252", "us-ascii"])
def test_an_encoding_is_the_one_declared(tmp_path: Path, codec: str) -> None:
    declared = "utf-8" if codec == "utf-8-sig" else codec
    letters = "sleep" if codec == "us-ascii" else "sömmeil é"
    record = article(1).replace("Paper 1", letters + "&#8211;")
    text = f'<?xml version="1.0" encoding="{declared}"?>\r\n<PubmedArticleSet>\r\n{record}</PubmedArticleSet>'
    found = read(tmp_path / "t.xml", text.encode(codec))
    assert found.column("title") == [letters + "–"]
    assert found.raws == [record]
    assert found.lines == [3]


def test_names_of_characters_from_html_are_read_where_a_doctype_may_declare_them(tmp_path: Path) -> None:
    record = article(1).replace("Paper 1", "5&nbsp;&micro;g &unheard; x")
    found = read(tmp_path / "t.xml", f"{HEAD}{DOCTYPE}<PubmedArticleSet>{record}</PubmedArticleSet>")
    assert found.column("title") == ["5\N{NO-BREAK SPACE}\N{MICRO SIGN}g &unheard; x"]


def test_comments_cdata_and_instructions_that_speak_of_articles_are_none(tmp_path: Path) -> None:
    text = articles(
        "<!-- <PubmedArticle> <PubmedArticle/> -->\n",
        article(1).replace("Paper 1", "<![CDATA[how <PubmedArticle> is read > or not]]>"),
        "<?note <PubmedArticle> ?>",
        article(2),
    )
    found = read(tmp_path / "t.xml", text)
    assert found.column("pmid") == ["1", "2"]
    assert found.column("title") == ["how <PubmedArticle> is read > or not", "Paper 2"]


def test_a_list_of_deleted_numbers_is_noted_and_no_record(tmp_path: Path) -> None:
    found = read(tmp_path / "t.xml", articles(article(1), "\n<DeleteCitation><PMID>7</PMID></DeleteCitation>"))
    assert found.column("pmid") == ["1"]
    assert [(note.line, note.level) for note in found.table.notes] == [(4, "warning")]


def only(findings: tuple[Finding, ...]) -> tuple[int, str]:
    (finding,) = findings
    return finding.line, finding.what


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "iso-8859-1"])
@pytest.mark.parametrize("between", ["", "\n", "\r\n\r\n", "<!-- batch 2 -->\n"])
@pytest.mark.parametrize("doctype", ["", DOCTYPE])
def test_downloads_put_together_are_one_file(tmp_path: Path, codec: str, between: str, doctype: str) -> None:
    """efetch gives 10,000 at a time; each batch has its declaration and its DOCTYPE."""
    head = HEAD.replace("UTF-8", codec) + doctype
    batches = [articles(*map(article, range(n, n + 3))).replace(HEAD, head) for n in (1, 4, 7)]
    mark = "\ufeff" if codec == "utf-16" else ""
    content = mark + f"{between}{'' if between.startswith('<!') else mark}".join(batches)
    found = read(tmp_path / "t.xml", content.encode("utf-16-le" if mark else codec))
    assert found.column("pmid") == [str(n) for n in range(1, 10)]
    whole = content.replace("\r\n", "\n").split("\n")
    assert all("<PubmedArticle>" in whole[line - 1] for line in found.lines)
    assert found.raws == [article(n) for n in range(1, 10)]


def test_another_kind_of_xml_behind_the_end_is_refused(tmp_path: Path) -> None:
    content = articles(article(1)) + "<xml><records><record><title>B</title></record></records></xml>"
    line, what = only(refused(tmp_path / "t.xml", content))
    assert (line, what) == (4, "something follows the end of the XML, after 1 whole record")


def test_many_small_downloads_are_read_in_pieces(tmp_path: Path) -> None:
    found = read(tmp_path / "t.xml", "".join(articles(article(n, f"<x>{'y' * 8000}</x>")) for n in range(400)))
    assert found.column("pmid") == [str(n) for n in range(400)]
    assert found.lines == [3 + 3 * n for n in range(400)]


def test_a_fault_in_a_later_download_has_its_place_in_the_file(tmp_path: Path) -> None:
    text = articles(article(1), article(2)) + articles(article(3).replace("Paper 3", "a & b"))
    line, what = only(refused(tmp_path / "t.xml", text))
    assert line == 6
    assert "column" in what
    assert "after 2 whole records" in what


MATH = (
    "<mml:math><mml:mrow><mml:mn>2.5</mml:mn><mml:mo>×</mml:mo><mml:msup><mml:mn>10</mml:mn><mml:mn>6</mml:mn>"
    "</mml:msup></mml:mrow></mml:math>"
)


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        pytest.param("10<sup>6</sup> cells", "10⁶ cells", id="a million"),
        ("10<sup>-3</sup>, 10<sup>−3</sup>", "10⁻³, 10⁻³"),
        ("10 <sup>6</sup>", "10 ⁶"),
        ("2<sup>1.5</sup> and 2<sup>n</sup>", "2^1.5 and 2ⁿ"),
        ("CO<sub>2</sub>, V<sub>max</sub>, Ca<sup>2+</sup>", "CO₂, Vmax, Ca²⁺"),
        ("the 1<sup>st</sup> author<sup>a</sup>", "the 1st authora"),
        ("x<sup><i>2</i></sup>", "x²"),
        ("<b>10<sup>6</sup></b>", "10⁶"),
        (MATH, "2.5×10⁶"),
        ("<mml:math><mml:mn>10</mml:mn><mml:mn>6</mml:mn></mml:math>", "10 6"),
        ("<mml:mfrac><mml:mn>1</mml:mn><mml:mn>12</mml:mn></mml:mfrac>", "(1)/(12)"),
        ("<mml:msubsup><mml:mi>x</mml:mi><mml:mn>1</mml:mn><mml:mn>2</mml:mn></mml:msubsup>", "x₁²"),
        ("<sup></sup>a<sub/>", "a"),
    ],
)
def test_what_stands_above_the_line_does_not_become_another_number(tmp_path: Path, written: str, read_as: str) -> None:
    abstract = f"<Abstract><AbstractText>{written}</AbstractText></Abstract>"
    text = articles(article(1, abstract)).replace("Paper 1", written)
    text = text.replace("<PubmedArticleSet>", '<PubmedArticleSet xmlns:mml="http://www.w3.org/1998/Math/MathML">')
    found = read(tmp_path / "t.xml", text)
    assert (found.column("title"), found.column("abstract")) == ([read_as], [read_as])


def test_markup_in_a_vernacular_title_and_of_any_depth(tmp_path: Path) -> None:
    vernacular = "<VernacularTitle>H<sub>2</sub>O</VernacularTitle>"
    found = read(tmp_path / "t.xml", articles(article(1, vernacular).replace("Paper 1", "[Not Available].")))
    assert found.column("title") == ["H₂O"]
    deep = "<i>" * 20_000 + "x<sup>2</sup>" + "</i>" * 20_000
    assert read(tmp_path / "t.xml", articles(article(1).replace("Paper 1", deep))).column("title") == ["x2"]


def test_a_missing_end_is_refused_with_the_number_of_whole_records(tmp_path: Path) -> None:
    whole = articles(article(1) + "\n", article(2) + "\n", article(3))
    cut = whole[: whole.index("<PMID>3")]
    assert only(refused(tmp_path / "t.xml", cut)) == (5, "the XML breaks off (no element found), after 2 whole records")


def test_a_cut_at_any_byte_is_refused(tmp_path: Path) -> None:
    whole = articles(article(1), "<!-- x -->", article(2), "<![CDATA[ ]]>").encode()
    first = whole.index(b"<PubmedArticleSet>") + len(b"<PubmedArticleSet>")
    for end in range(first, len(whole.rstrip())):
        refused(tmp_path / "t.xml", whole[:end])
    assert read(tmp_path / "t.xml", whole.rstrip()).column("pmid") == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (articles(article(1)) + "and more", "something follows the end of the XML, after 1"),
        (articles(article(1)) + HEAD.replace("UTF-8", "UTF-16"), "something follows the end of the XML, after 1"),
        (articles(article(1)).replace("</PubmedArticleSet>", "") + articles(article(2)), "not at start of entity"),
        (articles(article(1)).replace("</PubmedArticleSet>\n", "<a \ufeff") + articles(article(2)), "not well-formed"),
        (articles(article(1), article(2).replace("</Article>", "")), "mismatched tag, column"),
        (articles(article(1).replace("Paper 1", "a & b")), "not well-formed (invalid token), column"),
        (articles(article(1).replace("Paper 1", "a &nbsp; b")), "undefined entity, column"),
        (articles(article(1)).encode().replace(b"Paper 1", b"caf\xe9"), "not well-formed (invalid token)"),
        (articles(article(1)).replace("UTF-8", "UTF-16"), "encoding specified in XML declaration is incorrect"),
        (articles(article(1)).replace("UTF-8", "no-such"), "encoding cannot be read: unknown encoding: no-such"),
        (articles(article(1)).replace("UTF-8", "shift_jis"), "encoding cannot be read: multi-byte"),
        (articles(article(1).replace("<PubmedArticle>", "<pubmedArticle>")), "mismatched tag"),
        (articles(), "an empty PubMed XML file"),
    ],
)
def test_what_is_not_sound_xml_is_refused_with_its_place(tmp_path: Path, content: str | bytes, said: str) -> None:
    (finding,) = refused(tmp_path / "t.xml", content)
    assert said in finding.what


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "declared",
    [
        f'<!ENTITY l0 "ha">{LAUGHS}',
        '<!ENTITY l9 SYSTEM "file:///etc/hostname">',
        '<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;',
        '<!ENTITY l9 "ha">',
    ],
)
def test_entities_of_its_own_are_refused_unread(tmp_path: Path, declared: str) -> None:
    record = article(1).replace("Paper 1", "&l9;")
    text = f"{HEAD}<!DOCTYPE PubmedArticleSet [{declared}]>\n<PubmedArticleSet>{record}</PubmedArticleSet>"
    line, what = only(refused(tmp_path / "t.xml", text))
    assert line == 2
    assert what.startswith("the XML declares an entity of its own")


def test_a_doctype_is_never_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse_to_connect(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr("socket.socket.connect", refuse_to_connect)
    doctype = DOCTYPE.replace("https://dtd.example", "http://127.0.0.1:9")
    assert read(tmp_path / "t.xml", f"{HEAD}{doctype}<PubmedArticleSet>{NAPS}</PubmedArticleSet>").lines == [3]


def test_a_long_file_is_read_in_pieces(tmp_path: Path) -> None:
    found = read(tmp_path / "t.xml", articles(*(NAPS.replace("90000001", str(n)) for n in range(400))))
    assert found.column("pmid") == [str(n) for n in range(400)]
    height = NAPS.count("\n")
    assert found.lines == [3 + height * n for n in range(400)]
    assert found.raws[399] == NAPS.replace("90000001", "399").strip()


def test_an_article_without_an_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    text = articles(article(1), "<PubmedArticle><x>" + "y" * (70 << 20))
    assert "bytes without the end of a record" in only(refused(tmp_path / "t.xml", text))[1]
