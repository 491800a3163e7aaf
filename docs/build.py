"""`make docs`: rebuild what in docs/ is made from the code, and the picture of the report.

A made block stands between `<!-- made: NAME -->` and `<!-- end -->`; everything else on a page is written by hand.
tests/unit/test_docs_made.py asks that building changes nothing.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overnight.pricing.catalogue import Model

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"(<!-- made: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
PICTURE_WIDTH_PX, PICTURE_HEIGHT_PX = 1100, 1400


def models_table() -> str:
    from overnight.pricing import packaged_models
    from overnight.pricing.words import thinking_words

    rows = [
        f"| `{each.id}` | {each.batch} | {_developer(each)} | {each.max_output_tokens:,} | "
        f"{thinking_words(each)} | {_lifetime(each)} | "
        f"{each.source} [{each.evidence}], {each.checked} |"
        for each in packaged_models()
    ]
    return _table(
        "model | batch | batch on the Developer API | most output | thinking | lifetime and doubts | source, checked",
        rows,
    )


def gone_table() -> str:
    from overnight.pricing import packaged_models

    rows = [f"| `{each.name}` | {each.why} | `{each.replaced_by}` |" for each in packaged_models().gone]
    return _table("name | why it is refused | use", rows)


def prices_table() -> str:
    from overnight.pricing import packaged_prices

    rows = []
    for each in packaged_prices():
        long = each.over_200k
        tier = (
            f"{long.input_usd_per_mtok} / {long.output_usd_per_mtok} / {long.cached_usd_per_mtok or 'not known'}"
            if long
            else ""
        )
        rows.append(
            f"| `{each.model}` | {each.surface} | {each.mode} | {each.input_usd_per_mtok} | "
            f"{each.output_usd_per_mtok} | {each.cached_usd_per_mtok or 'not known'} | {tier} | "
            f"{each.valid_from} | {each.valid_until or ''} |"
        )
    return _table("model | surface | mode | in | out | cached | over 200k in / out / cached | from | until", rows)


def problems_table() -> str:
    from overnight.core.outcome import AGAIN, Next
    from overnight.report.words import PROBLEMS

    following = {
        Next.GIVE_UP: "given up",
        Next.SAME: "sent again",
        Next.MORE_ROOM: "sent again with more room, while there is more",
    }
    rows = [f"| {kind.value} | {PROBLEMS[kind]} | {following[again]} |" for kind, again in AGAIN.items()]
    return _table("kind | means | next", rows)


def job_states_table() -> str:
    from overnight.core.states import JOB_STATES

    rows = [f"| `{state}` | {phase.value.replace('_', ' ')} |" for state, phase in JOB_STATES.items()]
    return _table("the service says | for us", rows)


MADE: dict[str, Callable[[], str]] = {
    "models": models_table,
    "gone": gone_table,
    "prices": prices_table,
    "problems": problems_table,
    "job-states": job_states_table,
}


def pages() -> list[Path]:
    return sorted(path for path in DOCS.rglob("*.md") if BLOCK.search(path.read_text(encoding="utf-8")))


def rebuilt(text: str) -> str:
    """The page's text with every made block made anew. KeyError for a name that is not in MADE."""
    return BLOCK.sub(lambda found: f"{found[1]}{MADE[found['name']]()}\n{found[3]}", text)


def main() -> int:
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = rebuilt(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"{page.relative_to(ROOT)}: rebuilt")
    picture()
    return 0


def picture() -> None:
    """docs/report.png, from the fictional example, where a Chromium is installed."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("docs/report.png: left as it is, no chromium on the PATH")
        return
    from playwright.sync_api import sync_playwright
    from tests.support.report_example import screening_example

    from overnight.report import render_report

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        page_file = Path(folder) / "report.html"
        page_file.write_text(render_report(screening_example()), encoding="utf-8")
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": PICTURE_WIDTH_PX, "height": PICTURE_HEIGHT_PX})
        page.goto(page_file.as_uri())
        page.screenshot(path=DOCS / "report.png")
        browser.close()
    print("docs/report.png: taken")


def _table(head: str, rows: list[str]) -> str:
    return "\n".join([f"| {head} |", "|---" * (head.count("|") + 1) + "|", *rows])


def _developer(model: "Model") -> str:
    return model.offer("developer_batch").has


def _lifetime(model: "Model") -> str:
    from overnight.pricing.words import lifetime

    there = lifetime(model.developer)
    parts = [lifetime(model.vertex), f"on the Developer API {there}" if there else "", model.note]
    return "; ".join(part for part in parts if part)


if __name__ == "__main__":
    sys.exit(main())
