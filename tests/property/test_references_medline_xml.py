"""Law: n references written as MEDLINE, PubMed XML or EndNote XML, with any oddity, are the same n when read."""

import tempfile
from collections.abc import Callable
from html import escape
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from overnight.errors import RecordsError
from tests.support.references_xml import read

Fields = dict[str, str]

# Words that look like what a reader goes by; letters of all kinds. No blank: what is between words is the writer's.
TRAPS = [
    "PMID-",
    "PMID:",
    "TI",
    "-",
    "AB-",
    "<PubmedArticle>",
    "</record>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "&lt;",
]
WORDS = [
    "&",
    "&amp;",
    "<i>",
    "p<0.05",
    "5%",
    "…",
    "😴",
    "夜勤",
    "naïve",
    "\N{NO-BREAK SPACE}x",
    '"',
    "'",
    "[x]",
    "\\",
    "%A",
]
letters = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Zs", "Zl", "Zp", "Cn"))
word = st.one_of(st.sampled_from(TRAPS + WORDS), st.text(letters, min_size=1, max_size=6))
line = st.lists(word, min_size=1, max_size=12).map(" ".join)
text = line.filter(lambda said: said.strip() == said and "\ufffe" not in said and "\uffff" not in said)
name = st.tuples(st.sampled_from(["Muster", "Ejemplo", "O'Nap", "夜"]), st.sampled_from(["Erika", "J"]))
reference = st.fixed_dictionaries(
    {"title": text},
    optional={
        "abstract": text,
        "authors": st.lists(name, min_size=1, max_size=3).map(lambda names: "; ".join(f"{a}, {b}" for a, b in names)),
        "year": st.integers(1800, 2026).map(str),
        "journal": text,
        "volume": st.integers(1, 99).map(str),
        "doi": st.integers(1, 999).map("10.5555/x.{}".format),
        "pmid": st.integers(1, 99_999_999).map(str),
        "keywords": st.lists(st.sampled_from(["naps", "*Sleep", "a/b"]), min_size=1, max_size=3).map("; ".join),
        "language": st.sampled_from(["eng", "eng; ger"]),
    },
)
Draw = Callable[[list[str]], str]


def medline(fields: Fields, draw: Draw) -> str:
    tags = {"abstract": "AB", "title": "TI", "year": "DP", "journal": "JT", "volume": "VI"}
    lines = [f"PMID- {fields.get('pmid', '')}"]
    for column, value in fields.items():
        wrapped = value.replace(" ", draw([" ", "\n      ", " \n      ", "\n\t"]))
        if column in tags:
            lines.append(f"{tags[column]}  - {wrapped}")
        elif column == "doi":
            lines.append(f"{draw(['LID', 'AID'])} - {value} [doi]")
        elif column != "pmid":
            tag = {"authors": "FAU ", "keywords": "OT  ", "language": "LA  "}[column]
            lines += [f"{tag}- {part}" for part in value.split("; ")]
    lines.append("ZZ  - of no column")
    return "\n".join(lines) + draw(["\n", "\n\n", "\n \n\n"])


def xml_text(value: str, draw: Draw) -> str:
    if draw(["escaped", "cdata", "comment"]) == "cdata" and "]]>" not in value:
        return f"<![CDATA[{value}]]>"
    said = escape(value, quote=False)
    return draw([said, said, f"<!-- <PubmedArticle> <record> -->{said}", said.replace(" ", "\n  ")])


def pubmed_xml(fields: Fields, draw: Draw) -> str:
    def element(tag: str, column: str) -> str:
        return f"<{tag}>{xml_text(fields[column], draw)}</{tag}>" if column in fields else ""

    def each(form: str, column: str) -> str:
        parts = [escape(part, quote=False).split(", ") for part in fields.get(column, "").split("; ") if part]
        return "".join(form.format(*part) for part in parts)

    authors = each("<Author><LastName>{}</LastName><ForeName>{}</ForeName></Author>", "authors")
    parts = [
        f"<PubmedArticle><MedlineCitation>{element('PMID', 'pmid')}<Article><Journal><JournalIssue>",
        f"{element('Volume', 'volume')}<PubDate>{element('Year', 'year')}</PubDate></JournalIssue>",
        f"{element('Title', 'journal')}</Journal>{element('ArticleTitle', 'title')}",
        f"<Abstract>{element('AbstractText', 'abstract')}</Abstract><AuthorList>{authors}</AuthorList>",
        f"{each('<Language>{}</Language>', 'language')}</Article>",
        f"<KeywordList>{each('<Keyword>{}</Keyword>', 'keywords')}</KeywordList></MedlineCitation>",
        f"<PubmedData><ArticleIdList>{element('ArticleId IdType=' + chr(34) + 'doi' + chr(34), 'doi')}",
        "</ArticleIdList><ReferenceList><Reference><ArticleIdList><ArticleId IdType='pubmed'>7</ArticleId>",
        "</ArticleIdList>",
        "</Reference></ReferenceList></PubmedData></PubmedArticle>",
    ]
    return draw(["", "\n"]).join(parts).replace('</ArticleId IdType="doi">', "</ArticleId>") + draw(
        ["", "\n", "\r\n\r\n"]
    )


def endnote_xml(fields: Fields, draw: Draw) -> str:
    def element(tag: str, value: str) -> str:
        said = xml_text(value, draw)
        styled = draw([said, f'<style face="normal">{said}</style>', f'<style/>{said}<style face="bold"></style>'])
        return f"<{tag}>{styled}</{tag}>"

    names = {"journal": "secondary-title", "doi": "electronic-resource-num"}
    parts = []
    for column, value in fields.items():
        each = value.split("; ")
        if column == "authors":
            inner = "".join(element("author", part) for part in each)
            parts.append(f"<contributors><authors>{inner}</authors></contributors>")
        elif column == "keywords":
            parts.append(f"<keywords>{''.join(element('keyword', part) for part in each)}</keywords>")
        elif column == "pmid":
            parts += [element("accession-num", value), "<remote-database-provider>NLM</remote-database-provider>"]
        else:
            parts.append(element(names.get(column, column), value))
    return f"<record>{draw(['', chr(10)]).join(parts)}</record>" + draw(["", "\n"])


FORMATS = {
    "medline": (medline, "{}"),
    "pubmed_xml": (pubmed_xml, '<?xml version="1.0" encoding="UTF-8"?>\n<PubmedArticleSet>{}</PubmedArticleSet>'),
    "endnote_xml": (endnote_xml, "<xml>\n<records>{}</records></xml>"),
}


def there_and_back(format_: str, written: list[Fields], draw: Draw) -> None:
    write, whole = FORMATS[format_]
    records = [write(fields, draw) for fields in written]
    content = whole.format("\0").replace("\0", "".join(records))
    content = draw([content, "\ufeff" + content, content.replace("\r\n", "\n").replace("\n", "\r\n")])
    with tempfile.TemporaryDirectory() as folder:
        back = read(Path(folder) / "t", content)
    assert back.table.format == format_
    one_line = [
        {name: " ".join(str(cell).split("\n")) for name, cell in row.items() if name != "other"} for row in back.rows
    ]
    assert one_line == written
    assert all(content.count(raw) >= 1 for raw in back.raws)
    starts = [content.replace("\r\n", "\n").split("\n")[place - 1] for place in back.lines]
    first = {"medline": "PMID-", "pubmed_xml": "<PubmedArticle>", "endnote_xml": "<record>"}[format_]
    assert all(first in start for start in starts)


@pytest.mark.parametrize("format_", list(FORMATS))
@settings(max_examples=50, deadline=None)
@given(written=st.lists(reference, min_size=1, max_size=5), data=st.data())
def test_n_references_written_are_n_references_read(format_: str, written: list[Fields], data: st.DataObject) -> None:
    there_and_back(format_, written, lambda choices: data.draw(st.sampled_from(choices)))


PIECES = [
    *(
        "PMID- 1\n",
        "TI  - T\n",
        "UI  - 2\n",
        "VN  - Ovid\n",
        "OWN - ERIC\n",
        "      more\n",
        "margin\n",
        "\r",
        "\n",
        " ",
        "<1. >\n",
    ),
    *(
        "<PubmedArticleSet>",
        "</PubmedArticleSet>",
        "<PubmedArticle>",
        "</PubmedArticle>",
        "<PubmedArticle/>",
        "<MedlineCitation>",
    ),
    *(
        "<xml><records>",
        "</records></xml>",
        "<record>",
        "</record>",
        "<record/>",
        "<titles><title>",
        "</title></titles>",
        "x",
    ),
    *(
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?",
        "?>",
        "&nbsp;",
        "&#0;",
        "<!DOCTYPE a>",
        "<!DOCTYPE a [",
        "]>",
        "<!ENTITY a 'b'>",
        "&a;",
    ),
]
HEADS = [
    "PMID- 1\nTI  - T\n",
    "<PubmedArticleSet>",
    "<xml><records>",
    "<?xml version='1.0' encoding='utf-16'?><PubmedArticle>",
]


@settings(max_examples=200, deadline=None)
@given(head=st.sampled_from(HEADS), rest=st.lists(st.sampled_from(PIECES), max_size=14))
@example(head="<PubmedArticleSet>", rest=["<PubmedArticle>", "<MedlineCitation>"])
@example(head="<xml><records>", rest=["<record/>", "<record>", "<record/>", "</record>", "</records></xml>"])
def test_any_pieces_are_read_or_refused_and_never_counted_wrong(head: str, rest: list[str]) -> None:
    content = head + "".join(rest)
    with tempfile.TemporaryDirectory() as folder:
        try:
            back = read(Path(folder) / "t", content)
        except RecordsError:
            return
    assert back.rows
    assert all(raw in content for raw in back.raws)
