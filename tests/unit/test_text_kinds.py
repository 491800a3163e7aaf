"""What kind of text a record holds, by its title and its columns; and what `check` counts of it."""

from pathlib import Path

import pytest

from overnight.core.record import Record
from overnight.planning.screening import ScreenTask
from overnight.planning.texts import MOST_LISTED_JSON, TextCensus
from overnight.records.text_kinds import SHORT_CHARS, TextKind, kinds_of_title, kinds_of_types, languages_of
from overnight.study.load import load_study

RETRACTED, NOTICE = TextKind.RETRACTED, TextKind.RETRACTION_NOTICE
CORRECTION, COMMENT = TextKind.CORRECTION, TextKind.COMMENT


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("RETRACTED: Naps at night", RETRACTED),
        ("Retracted article: Naps at night", RETRACTED),
        ("RETRACTED ARTICLE: Naps at night", RETRACTED),
        ("[Retracted] Naps at night", RETRACTED),
        ("WITHDRAWN: Naps at night", RETRACTED),
        ("Naps at night (Retracted article. See vol. 12, pg. 3, 2015)", RETRACTED),
        ("Naps at night [RETRACTED]", RETRACTED),
        ("Retraction: Naps at night", NOTICE),
        ("Retraction note to: Naps at night", NOTICE),
        ("Notice of retraction", NOTICE),
        ("Expression of concern: Naps at night", NOTICE),
        ("Erratum", CORRECTION),
        ("Erratum to: Naps at night", CORRECTION),
        ("ERRATA", CORRECTION),
        ("Corrigendum to “Naps at night” [Sleep 12 (2015) 3]", CORRECTION),
        ("Correction to: Naps at night", CORRECTION),
        ("Correction to Naps at night", CORRECTION),
        ("Author Correction: Naps at night", CORRECTION),
        ("Correction.", CORRECTION),
        ("Berichtigung zu: Schlaf", CORRECTION),
        ("Comment on “Naps at night”", COMMENT),
        ("Commentary: naps", COMMENT),
        ("Re: Naps at night", COMMENT),
        ("Reply to Smith et al.", COMMENT),
        ("Authors' reply", COMMENT),
        ("Response to: Naps at night", COMMENT),
        ("Editorial: Naps", COMMENT),
    ],
)
def test_a_title_says_it(title: str, kind: TextKind) -> None:
    assert kinds_of_title(title) == {kind}


@pytest.mark.parametrize(
    "title",
    [
        "Naps at night",
        "",
        "Retracted stitches and wound healing",
        "Withdrawn children at school",
        "Retraction of the gingiva: a trial",
        "Correction of hyponatremia in night nurses",
        "Corrections officers and sleep",
        "Response to treatment with naps",
        "Commentaries of the 19th century on sleep",
        "Letters from sleep",
        "Reasons for retracted articles",
        "Returning to work",
    ],
)
def test_a_title_that_only_sounds_like_it_does_not(title: str) -> None:
    assert kinds_of_title(title) == frozenset()


def test_a_type_says_it_among_others() -> None:
    assert kinds_of_types("Journal Article; Retracted Publication") == {RETRACTED}
    assert kinds_of_types("Published Erratum") == {CORRECTION}
    assert kinds_of_types("Letter|Comment") == {COMMENT}
    assert kinds_of_types("Retraction of Publication\nEnglish Abstract") == {NOTICE}
    assert kinds_of_types("Journal Article; Randomized Controlled Trial") == frozenset()


@pytest.mark.parametrize(
    ("declared", "languages"),
    [
        ("eng", ("english",)),
        ("English", ("english",)),
        ("en-US", ("english",)),
        ("de_AT", ("german",)),
        ("German (Swiss)", ("german",)),
        ("eng; ger", ("english", "german")),
        ("[German]", ("german",)),
        ("中文", ("chinese",)),
        ("Klingon", ("klingon",)),
        ("und", ()),
        ("", ()),
    ],
)
def test_a_declared_language_has_one_name(declared: str, languages: tuple[str, ...]) -> None:
    assert languages_of(declared) == languages


STUDY = """\
study: naps
records: {files: [r.csv], text: [title, abstract], no_abstract: person}
screen:
  question: Do they nap?
  include:
    - id: naps
      ask: They nap.
model: {name: gemini-3.8-flash}
"""
COLUMNS = ("id", "title", "abstract", "type", "language")
LONG = "Thirty nurses took part in a trial of planned naps. " * 4


def task_of(folder: Path, no_abstract: str = "person") -> ScreenTask:
    (folder / "r.csv").write_text("id,title,abstract\n")
    (folder / "study.yaml").write_text(STUDY.replace("no_abstract: person", f"no_abstract: {no_abstract}"))
    return ScreenTask(load_study(folder / "study.yaml"), {})


def census_of(folder: Path, *rows: tuple[str, str, str, str], no_abstract: str = "person") -> TextCensus:
    census = TextCensus(task_of(folder, no_abstract), COLUMNS, no_abstract)
    for n, row in enumerate(rows):
        census.see(Record(str(n), n, dict(zip(COLUMNS, (str(n), *row), strict=True)), f"r.csv:{n + 2}"))
    return census


def test_records_are_counted_by_kind_and_the_first_are_listed(tmp_path: Path) -> None:
    census = census_of(
        tmp_path,
        ("Naps", LONG, "Journal Article", "eng"),
        ("<i>Naps</i>", "[No abstract available]", "Journal Article", "ger"),
        ("RETRACTED: Naps", "Short. © 2020 Elsevier B.V. All rights reserved.", "", "eng; ger"),
        ("Naps", LONG, "Published Erratum", ""),
    )
    found = {one.kind: one for one in census.found()}
    assert {kind: one.records for kind, one in found.items()} == {
        TextKind.NO_ABSTRACT: 1,
        TextKind.SHORT_ABSTRACT: 1,
        TextKind.RETRACTED: 1,
        TextKind.CORRECTION: 1,
        TextKind.OTHER_LANGUAGE: 1,
    }
    missing = found[TextKind.NO_ABSTRACT]
    assert missing.becomes == "not sent: a person decides"
    assert [(one.record_id, one.source, one.title) for one in missing.first] == [("1", "r.csv:3", "Naps")]
    assert found[TextKind.OTHER_LANGUAGE].first[0].detail == "german"
    assert dict(census.languages) == {"english": 2, "german": 2, "": 1}
    assert census.says_language


@pytest.mark.parametrize(
    ("no_abstract", "becomes"),
    [("person", "not sent: a person decides"), ("title_only", "judged by the title"), ("error", "refused")],
)
def test_what_becomes_of_a_missing_abstract_is_what_the_study_says(
    tmp_path: Path, no_abstract: str, becomes: str
) -> None:
    census = census_of(tmp_path, ("Naps", "无摘要", "", ""), no_abstract=no_abstract)
    assert [one.becomes for one in census.found()] == [becomes]
    assert not census.says_language


def test_an_abstract_is_short_below_a_hundred_characters(tmp_path: Path) -> None:
    census = census_of(tmp_path, ("a", "x" * (SHORT_CHARS - 1), "", ""), ("b", "x" * SHORT_CHARS, "", ""))
    assert [(one.kind, one.records) for one in census.found()] == [(TextKind.SHORT_ABSTRACT, 1)]


def test_however_many_there_are_a_hundred_are_kept(tmp_path: Path) -> None:
    (one,) = census_of(tmp_path, *[("Naps", "", "", "")] * 250).found()
    assert (one.records, len(one.first)) == (250, MOST_LISTED_JSON)


def test_files_that_name_their_columns_differently_all_say_language_and_type(tmp_path: Path) -> None:
    columns = (*COLUMNS, "Language of Original Document", "Document Type")
    census = TextCensus(task_of(tmp_path), columns, "person")
    scopus = dict.fromkeys(columns) | {
        "title": "Schlaf",
        "abstract": LONG,
        columns[-2]: "German",
        columns[-1]: "Erratum",
    }
    census.see(Record("1", 0, scopus, "scopus.csv:2"))
    assert {one.kind for one in census.found()} == {TextKind.OTHER_LANGUAGE, TextKind.CORRECTION}
    assert dict(census.languages) == {"german": 1}
