"""The page in Chromium: it loads nothing, its policy holds, it fits a phone, it can be used from the keyboard."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from overnight.report import ReportData, render_report
from overnight.report.data import Job
from overnight.report.render import PERSON_AT_ONCE
from tests.support.report_example import asking_example, screening_example
from tests.support.report_screening import ABSTRACT, NAP, NIGHT
from tests.unit.test_report_page import hostile_example

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    chromium = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
    if chromium is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium on PATH, and CI requires it")
        pytest.skip("no Chromium on PATH: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@contextmanager
def opened(
    browser: "Browser", data: ReportData, folder: Path, width: int = 1100, scheme: Literal["light", "dark"] = "light"
) -> Iterator["Page"]:
    """The page open in a window; on leaving, nothing was asked for but the page, and nothing was complained of."""
    file = folder / "report.html"
    file.write_text(render_report(data), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.goto(file.as_uri())
    yield page
    assert asked == [file.as_uri()]
    assert said == []
    page.close()


@pytest.mark.parametrize("width", [1100, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "data", [screening_example(), asking_example(), hostile_example()], ids=["screen", "ask", "hostile"]
)
def test_it_fits_the_window_and_its_style_applies(
    browser: "Browser", tmp_path: Path, data: ReportData, width: int, scheme: Literal["light", "dark"]
) -> None:
    with opened(browser, data, tmp_path, width, scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == ("rgb(250, 249, 246)" if scheme == "light" else "rgb(18, 21, 26)")
        assert page.evaluate("document.compatMode") == "CSS1Compat"
        assert page.evaluate("document.scripts.length + document.images.length") == 0


def test_the_table_of_jobs_shows_all_its_columns_at_1200_px(browser: "Browser", tmp_path: Path) -> None:
    stamp = "2026-11-22T13:17:51.123456Z"
    job = Job(
        name="projects/a-rather-long-project-123/locations/europe-west4/batchPredictionJobs/1234567890123456789",
        state="JOB_STATE_SUCCEEDED",
        rows=200_000,
        rows_back=200_000,
        created=stamp,
        started=stamp,
        ended=stamp,
    )
    with opened(browser, replace(screening_example(), jobs=(job,)), tmp_path, 1200) as page:
        hidden = page.evaluate("(e => e.scrollWidth - e.clientWidth)(document.querySelector('#jobs .scroll'))")
        assert hidden <= 0


def test_the_banner_is_first_last_and_stays_in_sight(browser: "Browser", tmp_path: Path) -> None:
    with opened(browser, screening_example(), tmp_path) as page:
        lines = page.inner_text("body").strip().splitlines()
        assert lines[0].startswith("LOCAL STAND-IN")
        assert lines[-1].startswith("LOCAL STAND-IN")
        page.evaluate("window.scrollTo(0, 2500)")
        top = page.evaluate("document.querySelector('.banner').getBoundingClientRect().top")
        assert top == 0


def test_the_policy_stops_a_script_and_a_style_that_got_in(browser: "Browser", tmp_path: Path) -> None:
    data = screening_example()
    broken = render_report(data).replace(
        "</main>", "<script>window.ran = 1</script><style>h1 { color: rgb(1, 2, 3) }</style></main>"
    )
    file = tmp_path / "broken.html"
    file.write_text(broken, encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    assert page.evaluate("window.ran") is None
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") != "rgb(1, 2, 3)"
    page.close()


def test_keyboard_and_screen_reader(browser: "Browser", tmp_path: Path) -> None:
    with opened(browser, screening_example(), tmp_path) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the results"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        before = page.locator("details.record[open]").count()
        closed = page.locator("details.record:not([open])").first
        closed.locator("summary").focus()
        page.keyboard.press("Enter")
        assert page.locator("details.record[open]").count() == before + 1
        levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
        assert levels[0] == 1
        assert levels.count(1) == 1
        unnamed = page.evaluate(
            "[...document.querySelectorAll('svg')].filter(s => !s.ariaLabel && !s.ariaHidden).length"
        )
        assert unnamed == 0


def test_marks_stand_where_the_offsets_say_and_look_different(browser: "Browser", tmp_path: Path) -> None:
    with opened(browser, screening_example(), tmp_path) as page:
        found = page.evaluate("""() => { const p = document.querySelector('#r-412 .passage p');
          const text = [...p.childNodes].filter(n => n.nodeName !== 'SUP').map(n => n.textContent).join('');
          const of = c => [...p.querySelectorAll('mark.' + c)].map(m => m.textContent).join('');
          return [text, of('q1'), of('q2')] }""")
        assert found == [ABSTRACT, NIGHT, ABSTRACT[ABSTRACT.index(NAP) : ABSTRACT.index(". Lapses")]]
        looks = page.evaluate("""() => [1, 2, 3, 4, 5, 6, 7, 8].map(n => { const m = document.createElement('mark');
          m.className = 'q' + n; document.body.append(m); const s = getComputedStyle(m);
          const look = [s.backgroundColor, s.borderBottomColor, s.borderBottomStyle].join();
          m.remove(); return look })""")
        assert len(set(looks)) == 8
        assert len({look.rsplit(",", 1)[1] for look in looks}) == 4, "not by colour alone"


def test_samples_stand_side_by_side_and_on_a_phone_below_each_other(browser: "Browser", tmp_path: Path) -> None:
    where = """() => [...document.querySelectorAll('#r-412 .voices tbody tr:nth-child(2) td')].map(td => {
      const box = td.getBoundingClientRect(); return [box.left, box.top, box.right] })"""
    with opened(browser, screening_example(), tmp_path, 1280) as page:
        cells = page.evaluate(where)
        assert len(cells) == 4
        assert all(left[2] <= right[0] and left[1] == right[1] for left, right in pairwise(cells))
        assert not page.locator("#r-412 .who").first.is_visible()
    with opened(browser, screening_example(), tmp_path, 400) as page:
        cells = page.evaluate(where)
        assert all(above[0] == below[0] and above[1] < below[1] for above, below in pairwise(cells))
        assert max(cell[2] for cell in cells) <= 400
        assert page.locator("#r-412 .who").first.is_visible(), "each cell says whose it is"
        tables = "[...document.querySelectorAll('#person .scroll, #criteria .scroll')]"
        assert set(page.evaluate(f"{tables}.map(e => e.scrollWidth - e.clientWidth)")) == {0}, (
            "nothing lies beside the window"
        )


def test_a_link_to_a_record_opens_what_is_folded_over_it(browser: "Browser", tmp_path: Path) -> None:
    data = screening_example()
    assert data.screening is not None
    first, *others = data.screening.listed
    many = [replace(first.records[0], number=1_000 + n) for n in range(PERSON_AT_ONCE)]
    listed = (replace(first, n=100, records=(*many, *first.records)), *others)
    with opened(browser, replace(data, screening=replace(data.screening, listed=listed)), tmp_path) as page:
        target = page.locator("#r-412 .passage")
        assert not target.is_visible()
        page.locator("#weak a").first.click()
        assert target.is_visible()
        assert page.locator("#r-412").evaluate("e => e.getBoundingClientRect().top") < 900


def test_colours_can_be_told_from_the_paper(browser: "Browser", tmp_path: Path) -> None:
    """WCAG AA for text: 4.5 to 1, in both schemes."""
    contrast = """() => {
      const lum = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b };
      const back = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
        if (!c.endsWith(', 0)')) return c } return 'rgb(255, 255, 255)' };
      const ratio = e => { const [a, b] = [lum(getComputedStyle(e).color), lum(back(e))].sort((x, y) => y - x);
        return (a + 0.05) / (b + 0.05) };
      return [...document.querySelectorAll('p, b, a, span, th, td, dt, dd, h1, h2, h3, mark, sup, summary, .banner')]
        .filter(e => ratio(e) < 4.5).map(e => e.className + ' ' + e.textContent.slice(0, 40)) }"""
    schemes: list[Literal["light", "dark"]] = ["light", "dark"]
    for scheme in schemes:
        with opened(browser, screening_example(), tmp_path, scheme=scheme) as page:
            assert page.evaluate(contrast) == []


def test_print_shows_what_is_folded(browser: "Browser", tmp_path: Path) -> None:
    data = screening_example()
    stage = replace(data.method.stages[0], prompt="A prompt to be found on paper.")
    with opened(browser, replace(data, method=replace(data.method, stages=(stage,))), tmp_path) as page:
        prompt = page.locator("pre", has_text="A prompt to be found on paper.")
        assert not prompt.is_visible()
        page.emulate_media(media="print")
        assert prompt.is_visible()
        assert not page.locator("nav").is_visible()
