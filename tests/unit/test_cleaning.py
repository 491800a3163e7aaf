"""What is done to a cell before the model sees it, and what is not."""

from datetime import date
from decimal import Decimal

import pytest

from overnight.core.record import Cell
from overnight.errors import LedgerError
from overnight.requests.cleaning import clean, cleaned
from overnight.requests.remarks import says_no_abstract

STAYS = "co\u00adoperate, zero\u200bwidth, no\u00a0break, 睡眠 🛌"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        ("", ""),
        (" \t\n ", ""),
        ("  Naps. \n", "Naps."),
        ("one\r\ntwo\rthree\u2028four\u2029five\x85six\nseven", "one\ntwo\nthree\nfour\nfive\nsix\nseven"),
        ("a\x00b\x07\x1fc\x7fd\x9fe", "a b c d e"),
        ("\ufeffTitle\ufffe\uffffend", "Title end"),
        ("tab\tstays, so do\n\nblank lines", "tab\tstays, so do\n\nblank lines"),
        ("<b>p&lt;0.05</b> [No abstract available]", "<b>p&lt;0.05</b> [No abstract available]"),
        (STAYS, STAYS),
        (7, "7"),
        (0, "0"),
        (7.5, "7.5"),
        (True, "True"),
        (Decimal("1.50"), "1.50"),
        (date(2026, 11, 22), "2026-11-22"),
    ],
)  # fmt: skip
def test_a_cell_becomes_text(cell: Cell, text: str) -> None:
    assert clean(cell) == text


def seen(cell: Cell) -> str:
    """By version 2; the tracked way says the same, and doing it again changes nothing."""
    text = clean(cell, 2)
    assert cleaned(cell, 2).text == text
    assert clean(text, 2) == text
    return text


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        (7, "7"),
        ("  Naps.\r\nThey help.\u2028So. \n", "Naps.\nThey help.\nSo."),
        ("a\x00b\x9fc\ufffed", "a b c d"),
        ("\ufeffco\u00adoperate zero\u200bwidth word\u2060joiner", "cooperate zerowidth wordjoiner"),
        ("می‌خواهم 👩‍⚕️", "می‌خواهم 👩‍⚕️"),
        ("cafe\u0301 Å \u1112\u1161\u11ab 10² µm ﬁnd", "café Å 한 10² µm ﬁnd"),
        ("night-\nshift work", "night-\nshift work"),
        ("tab\tand\n\nblank lines", "tab\tand\n\nblank lines"),
    ],
)
def test_what_is_not_seen_goes_and_what_is_seen_stays(cell: Cell, text: str) -> None:
    assert seen(cell) == text


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("p &lt; 0.05 &amp; n &gt; 3", "p < 0.05 & n > 3"),
        ("&amp;lt; &amp;amp;lt; &amp;amp;amp; &#38;gt; &#x26;#62;", "< < & > >"),
        ("&eacute;t&#233; &#8804; &#x3b1;&nbsp;&beta;", "été ≤ α\u00a0β"),
        ("R&D; AT&T, &nosuch; &copyright; Q&A", "R&D; AT&T, &nosuch; &copyright; Q&A"),
        ("&#0;a &#xD800; &shy;b", "\ufffda \ufffd b"),
    ],
)
def test_entities_become_what_they_stand_for(cell: str, text: str) -> None:
    assert seen(cell) == text


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("of <i>E. coli</i> and <b>all</b>", "of E. coli and all"),
        ('<jats:title>Aim</jats:title>\n  <jats:p>To nap.</jats:p><jats:p class="x">So.</jats:p>', "Aim\nTo nap.\nSo."),
        ("<p>One.</p> <p>Two.</p>", "One.\nTwo."),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("&lt;p&gt;One &amp;lt;i&amp;gt;b&amp;lt;/i&amp;gt;&lt;/p&gt;", "One b"),
        ('<a href="https://x.example/?a=1">here</a> <span style="x">too</span>', "here too"),
        ("<i>in</i> <b>vitro</b>", "in vitro"),
        ('<mml:math xmlns:mml="http://x"><mml:mi>x</mml:mi><mml:mo>=</mml:mo><mml:mn>2</mml:mn></mml:math>', "x=2"),
        ("<math><msup><mn>10</mn><mn>6</mn></msup></math> cells", "10 6 cells"),
    ],
)
def test_tags_go_and_their_text_stays(cell: str, text: str) -> None:
    assert seen(cell) == text


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("10<sup>6</sup> cells, 10<sup>-3</sup> M", "10⁶ cells, 10⁻³ M"),
        ("H<sub>2</sub>O, Ca<sup>2+</sup>, m<sup>2</sup>", "H₂O, Ca²⁺, m²"),
        ("10<sup>5.2</sup>", "10^5.2"),
        ("HbA<sub>1c</sub>, V<sub>max</sub>, 4<sup>th</sup>, x<sup><i>n</i></sup>", "HbA1c, Vmax, 4th, xⁿ"),
        ("<jats:sup>13</jats:sup>C", "¹³C"),
    ],
)
def test_a_raised_figure_never_joins_the_number_before_it(cell: str, text: str) -> None:
    assert seen(cell) == text


@pytest.mark.parametrize(
    "text",
    [
        "p < 0.05 and x > 3",
        "p<0.05, n>30",
        "if a<b and c>d",
        "for all a<b>c",
        "the <title> element, a <p> and <your name>",
        "1 < i > 2 </ nothing",
        "<script>alert(1)</script>",
        "mail <me@example.org>",
        "→ a <- b -> c <=> d",
    ],
)
def test_what_only_looks_like_a_tag_stays(text: str) -> None:
    assert seen(text) == text


NO_ABSTRACT = """\
[No abstract available]|No abstract available.|Abstract not available|ABSTRACT UNAVAILABLE|(no abstract)|
[Abstract missing]|There is no abstract available for this article.|No abstract provided|
No abstract was provided.|The abstract is not included
Kein Abstract verfügbar.|Keine Zusammenfassung vorhanden|Abstract nicht verfügbar|Pas de résumé disponible|
Résumé non disponible|Le résumé n’est pas disponible.|Sin resumen|Resumen no disponible|No hay resumen disponible.|
Resumo não disponível|Sem resumo|Nessun abstract disponibile|Abstract non disponibile|Geen samenvatting beschikbaar|
Brak abstraktu|Нет аннотации|Аннотация отсутствует|无摘要|暂无摘要|無摘要|抄録なし|초록 없음|
<p>No abstract available</p>|
No&nbsp;abstract available"""


@pytest.mark.parametrize("remark", [one.strip() for one in NO_ABSTRACT.replace("\n", "|").split("|") if one.strip()])
def test_a_remark_that_there_is_no_abstract_is_no_text(remark: str) -> None:
    assert seen(remark) == ""
    assert clean("[No abstract available]", 1) == "[No abstract available]"


@pytest.mark.parametrize(
    "text",
    [
        "No abstract thought was needed.",
        "Abstract art and sleep",
        "Abstract",
        "N/A",
        "None",
        "The abstract was not available to the raters, who judged by title.",
        "No abstract available for 12 of 30 trials.",
        "Kein Schlaf",
        "Sin sueño",
    ],
)
def test_a_text_that_says_something_stays(text: str) -> None:
    assert seen(text) == text
    assert not says_no_abstract(text)


EBSCO = (
    "[ABSTRACT FROM AUTHOR] Copyright of Sleep is the property of A & B / USA and its content may not be copied or"
    " emailed to multiple sites without the copyright holder's express written permission. However, users may print,"
    " download, or email articles for individual use. This abstract may be abridged. (Copyright applies to all"
    " Abstracts.)"
)
NOTICES = (
    "© 2020 Elsevier B.V. All rights reserved.",
    "© 2020",
    "© The Author(s) 2021. Published by Oxford University Press on behalf of the Sleep Research Society.",
    "© 2020 The Authors. Journal of Sleep Research published by John Wiley & Sons Ltd on behalf of a Society.",
    "© 2019 by the authors. Licensee MDPI, Basel, Switzerland.",
    "© 2018, Springer Science+Business Media, LLC, part of Springer Nature.",
    "© 2015 St. Jude Hospital. Published by Elsevier Inc. All rights reserved.",
    "Copyright © 2013 Elsevier Ltd. All rights reserved.",
    "Copyright (c) 2010 John Wiley & Sons, Ltd.",
    "Copyright 2007, Lippincott Williams & Wilkins.",
    "(C) 2001 Academic Press.",
    "This article is protected by copyright. All rights reserved.",
    "This article is protected by U.S. copyright law",
    "All rights reserved.",
    "© 2016 Hogrefe. Alle Rechte vorbehalten.",
    "© 2016 Masson. Tous droits réservés.",
    "© 2012 Doyma. Todos los derechos reservados.",
    "(PsycINFO Database Record (c) 2016 APA, all rights reserved)",
    "(PsycInfo Database Record (c) 2020 APA, all rights reserved).",
    "Published by Elsevier Ltd. All rights reserved.",
    "[ABSTRACT FROM AUTHOR]",
    EBSCO,
    "&copy; 2020 Elsevier B.V. <i>All rights reserved</i>.",
    "© 2011 Journal compilation © 2011 European Sleep Research Society.",
)
SAID = "Thirty nurses took part. Naps helped (p < 0.05)."


@pytest.mark.parametrize("between", [" ", "\n", "  "])
@pytest.mark.parametrize("notice", NOTICES)
def test_a_notice_at_the_end_is_left_out(notice: str, between: str) -> None:
    assert seen(f"{SAID}{between}{notice}") == SAID


def test_a_notice_stuck_to_the_last_sentence_is_left_out() -> None:
    assert seen(f"{SAID}© 2020 Elsevier B.V.") == SAID
    assert seen("Naps helped (in nurses) © 2020 Elsevier B.V.") == "Naps helped (in nurses)"


@pytest.mark.parametrize(
    "text",
    [
        *(notice for notice in NOTICES if "<" not in notice),
        "© 2020 Elsevier. Naps were found to help.",
        "© 2020 Elsevier\nNaps help night nurses, and doctors; they sleep.",
        f"{SAID} We used the Sleepiness Scale © 2005 for this.",
        f"{SAID} Copyright law changed in 2010.",
        f"{SAID} (C) Naps are safe.",
        f"{SAID} (A) Naps. (B) Coffee. (C) Light.",
        f"{SAID} Results are published by the WHO.",
        f"{SAID} Published by the WHO.",
        f"{SAID} © 2020 The model was trained on 300 patients.",
        "Do all rights reserved for workers hold at night?",
        "Human rights reserved for citizens: a review",
    ],
)
def test_what_is_not_plainly_a_notice_at_the_end_stays(text: str) -> None:
    assert seen(text) == text.replace("&copy;", "©")


def test_the_sentence_before_a_notice_stays() -> None:
    said = "Sleep guidelines published by the WHO need a revision."
    assert seen(f"{said} © 2020 Elsevier.") == said


@pytest.mark.parametrize(
    "hostile",
    [
        "&" + "amp;" * 50_000,
        "<b " * 30_000,
        "<b>" * 30_000,
        "<" * 100_000,
        "<sup>" * 20_000,
        '<b a="' * 20_000,
        "<p" + " " * 100_000,
        "&l<b></b>t;" * 5_000,
        "© 2020 A. " * 10_000,
        ". " * 50_000 + "©",
        "\n" * 100_000 + "x ©",
        "e\u0301" * 30_000,
    ],
    ids=repr,
)
def test_a_hostile_cell_takes_no_time_to_speak_of(hostile: str) -> None:
    """100,000 characters each: with a quadratic step it would be minutes, and the suite's time limit would strike."""
    seen(hostile)


@pytest.mark.parametrize("version", [0, 3])
def test_an_unknown_version_is_refused(version: int) -> None:
    with pytest.raises(LedgerError, match=f"version {version}"):
        clean("Naps\n", version)
    with pytest.raises(LedgerError):
        clean("Naps", version)
    with pytest.raises(LedgerError):
        cleaned("Naps", version)


@pytest.mark.parametrize("version", [1, 2])
def test_places_of_a_text_that_is_left_as_it_is_begin_behind_its_blanks(version: int) -> None:
    found = cleaned("  Naps at night.  ", version)
    assert (found.text, found.span(0, 4), found.span(8, 14)) == ("Naps at night.", (2, 6), (10, 16))
