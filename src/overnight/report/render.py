"""ReportData → one self-contained page. The template escapes everything; nothing is fetched, nothing runs."""

import functools
from base64 import b64encode
from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from overnight.core import realm as realms
from overnight.core.usage import Usage, Usd
from overnight.report import charts, words
from overnight.report.data import Bill, Choices, Numbers, ReportData, Texts
from overnight.report.text import fit, moment, pieces, shortened

if TYPE_CHECKING:
    import jinja2

MOST_SAMPLES: Final = 25
MOST_PERSON: Final = 300
"""Records that need a person. All of them are in the results, `needs_person`."""
PERSON_AT_ONCE: Final = 20
"""Of one concern; the rest is folded."""
SETTLED_SHOWN: Final = 10
"""Of the records of a screen that need nobody."""
MOST_SPLIT: Final = 10
MARKS: Final = 8
"""Colours of criteria in report.css; a ninth criterion has the first again. Its name stands beside each quote."""
MOST_GIVEN_UP: Final = 200
"""Records of one kind of problem. All of them are in the results."""
OPEN_AT_ONCE: Final = 12
"""Up to so many are seen without a click."""
MOST_REASONS: Final = 12

VERDICT_TONES: Final = {"met": "good", "not_met": "bad", "not_stated": "quiet", "unclear": "doubt"}
DECISION_TONES: Final = {"include": "good", "exclude": "bad", "unclear": "doubt"}


def render_report(data: ReportData) -> str:
    """The whole page. The same data gives the same page, byte for byte; it always encodes as UTF-8."""
    css = _style()
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            data=data,
            css=css,
            style_hash=b64encode(sha256(css.encode()).digest()).decode(),
            banner=_banner(data.realm),
            banner_mark=_banner(data.realm).split(" · ")[0],
            simulated=realms.is_simulated(data.realm),
            outcome_bar=_outcome_bar(data),
            token_bar=_token_bar(data.bill.usage),
            cost_bar=_cost_bar(data.bill),
            problems=_problems(data),
            samples=data.samples[:MOST_SAMPLES],
            most_reasons=MOST_REASONS,
            open_at_once=OPEN_AT_ONCE,
            words=words,
            decision_tones=DECISION_TONES,
            verdict_tones=VERDICT_TONES,
            person_at_once=PERSON_AT_ONCE,
            places={each.id: place % MARKS + 1 for place, each in enumerate(data.criteria)},
        )
    )


def _banner(realm: str) -> str:
    """What must not be overlooked, empty on Google's own cloud."""
    if realm == realms.GOOGLE:
        return ""
    if realm == realms.STAND_IN:
        return "LOCAL STAND-IN · no model wrote these answers: a program did, to try the study. Costs are simulated."
    answered_by = realm.removeprefix("upstream:")
    return (
        f"LOCAL CLOUD, NOT GOOGLE · the answers come from {answered_by}. Costs are simulated, as for the asked model."
    )


def _outcome_bar(data: ReportData) -> tuple[charts.Segment, ...]:
    counts = data.counts
    parts = [
        ("answers", counts.answers, "good"),
        ("problems", counts.n_problems, "bad"),
        ("not sent", counts.n_not_sent, "quiet"),
        ("open", counts.open, "doubt"),
    ]
    return charts.stacked(parts)


def _token_bar(usage: Usage) -> tuple[charts.Segment, ...]:
    cached = usage.cached or 0
    parts = [
        ("input", (usage.prompt or 0) - cached, "first"),
        ("cached input", cached, "quiet"),
        ("thinking", usage.thinking or 0, "doubt"),
        ("answer", usage.answer or 0, "good"),
    ]
    return charts.stacked(parts)


def _cost_bar(bill: Bill) -> list[dict[str, Any]]:
    """Each part of the cost as a bar of its own: as wide as its share, which stands beside it."""
    whole = sum((part.cost for part in bill.parts), Usd())
    if not whole:
        return []
    return [
        {
            "label": words.PARTS[part.name][0],
            "tone": words.PARTS[part.name][1],
            "tokens": part.tokens,
            "cost": part.cost,
            "width": max(charts.LEAST_WIDTH, round(100 * part.cost.share_of(whole), 3)),
            "share": charts.share(int(part.cost.share_of(whole) * 1_000_000), 1_000_000),
        }
        for part in bill.parts
    ]


def _problems(data: ReportData) -> list[dict[str, Any]]:
    """Kinds by number, each with its first records."""
    by_number = sorted(data.counts.problems.items(), key=lambda item: -item[1])
    return [
        {
            "kind": kind,
            "count": count,
            "meaning": words.PROBLEMS[kind],
            "given_up": [each for each in data.given_up if each.kind == kind][:MOST_GIVEN_UP],
        }
        for kind, count in by_number
        if count
    ]


@functools.cache
def _style() -> str:
    from importlib.resources import files

    return files(__package__).joinpath("templates", "report.css").read_text("utf-8")


@functools.cache
def _environment() -> "jinja2.Environment":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    environment.filters |= {
        "n": _count,
        "share": charts.share,
        "stacked": charts.stacked,
        "columns": charts.columns,
        "toned": _toned,
        "pieces": lambda passage: pieces(passage.text, passage.quotes),
        "shortened": shortened,
        "moment": moment,
        "plain": words.plain,
    }
    environment.tests |= {
        "choices": lambda field: isinstance(field, Choices),
        "numbers": lambda field: isinstance(field, Numbers),
        "texts": lambda field: isinstance(field, Texts),
    }
    return environment


def _finalized(value: object) -> object:
    """Whatever the template prints: text made fit for HTML first, wherever it comes from. Markup stays what it is."""
    if isinstance(value, StrEnum):
        return value.value
    return fit(value) if type(value) is str else value


def _count(value: int | None) -> str:
    return "not known" if value is None else f"{value:,}"


def _toned(counts: Mapping[str, int], tones: Mapping[str, str]) -> list[tuple[str, int, str]]:
    """Counts in the order of the tones, then whatever else there is."""
    order = [*tones, *(name for name in counts if name not in tones)]
    return [(words.plain(name), counts.get(name, 0), tones.get(name, "quiet")) for name in order]
