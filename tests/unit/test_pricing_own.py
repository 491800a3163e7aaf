"""A user's own file of models and prices: it stands over the packaged tables, or says what is wrong and where."""

from datetime import date
from decimal import Decimal

import pytest

from overnight.errors import StudyError
from overnight.pricing import packaged_tables
from overnight.pricing.refusals import Chosen, Refusal, choose
from overnight.pricing.tables import Tables, with_own

TODAY = date(2026, 11, 22)
PRICE = """\
[[price]]
model = "gemini-3.8-flash"
input = "0.30"
output = "1.50"
valid_from = 2026-11-20
valid_until = 2026-11-25
checked = 2026-11-20
source = "contract 17"
"""
MODEL = """\
[[model]]
id = "gemini-9"
surfaces = { vertex_batch = "yes" }
context_tokens = 2_000_000
max_output_tokens = 100_000
levels = ["low", "high"]
checked = 2026-11-20
"""


def own(toml: str) -> Tables:
    return with_own(packaged_tables(), toml, "mine.toml")


def faults(toml: str) -> list[tuple[int, str, str]]:
    with pytest.raises(StudyError) as caught:
        own(toml)
    assert all(finding.file == "mine.toml" for finding in caught.value.findings)
    return [(finding.line, finding.path, finding.what) for finding in caught.value.findings]


def rate_in(tables: Tables, day: date, mode: str = "batch") -> Decimal | None:
    found = tables.prices.price("gemini-3.8-flash", day, mode)  # type: ignore[arg-type]  # a mode, in words
    return None if found is None else found.input_usd_per_mtok


class TestPrices:
    def test_a_row_stands_over_the_packaged_one_on_its_days_only(self) -> None:
        tables = own(PRICE)
        days = [date(2026, 11, day) for day in (19, 20, 25, 26)]
        assert [rate_in(tables, day) for day in days] == [Decimal(n) for n in ("0.375", "0.30", "0.30", "0.375")]
        assert rate_in(tables, date(2027, 1, 1)) == Decimal("0.75"), "the packaged change of price still comes"
        assert rate_in(tables, TODAY, "standard") == Decimal("0.75"), "another mode is left alone"

    def test_a_row_without_an_end_hides_every_later_one(self) -> None:
        tables = own(PRICE.replace("valid_until = 2026-11-25\n", ""))
        assert rate_in(tables, date(2027, 6, 1)) == Decimal("0.30")

    def test_it_says_whose_it_is(self) -> None:
        found = own(PRICE).prices.price("gemini-3.8-flash", TODAY)
        assert found is not None
        assert (found.source, found.evidence, found.own) == ("your own file mine.toml: contract 17", "own", True)

    def test_the_packaged_tables_are_not_touched(self) -> None:
        own(PRICE)
        assert rate_in(packaged_tables(), TODAY) == Decimal("0.375")

    def test_the_changes_ahead_are_those_of_both(self) -> None:
        changes = own(PRICE).prices.changes("gemini-3.8-flash", TODAY, date(2027, 1, 31))
        assert [day for day, _ in changes] == [date(2026, 11, 26), date(2027, 1, 1)]


class TestModels:
    def test_a_new_model_may_be_used_once_it_has_a_price(self) -> None:
        assert isinstance(choose(own(MODEL), "gemini-9", "high", TODAY), Refusal)
        priced = own(MODEL + PRICE.replace("gemini-3.8-flash", "gemini-9"))
        found = choose(priced, "gemini-9", "high", TODAY)
        assert isinstance(found, Chosen)
        assert (found.model.max_output_tokens, found.warnings) == (100_000, ())

    def test_a_row_changes_what_it_gives_and_leaves_the_rest(self) -> None:
        model = own('[[model]]\nid = "gemini-3.8-flash"\nmax_output_tokens = 8_192\n').models.models["gemini-3.8-flash"]
        assert (model.max_output_tokens, model.levels) == (8_192, ("low", "medium", "high"))
        assert model.source.startswith("your own file mine.toml; the rest: Google's batch overview")

    def test_whoever_used_a_closed_model_before_goes_on_until_it_is_retired(self) -> None:
        tables = own('[[model]]\nid = "gemini-2.5-pro"\nused_before = true\n')
        assert isinstance(choose(packaged_tables(), "gemini-2.5-pro", 4096, TODAY), Refusal)
        assert isinstance(choose(tables, "gemini-2.5-pro", 4096, TODAY), Chosen)
        assert isinstance(choose(tables, "gemini-2.5-pro", 4096, date(2027, 3, 31)), Refusal)

    def test_an_alias_is_the_model_it_names_and_that_is_said(self) -> None:
        found = choose(own('[[model]]\nid = "gemini-3.8-flash"\naliases = ["fast"]\n'), "fast", None, TODAY)
        assert isinstance(found, Chosen)
        assert found.model.id == "gemini-3.8-flash"
        assert "fast is another name of gemini-3.8-flash" in found.warnings[0].what

    def test_no_batch_is_refused(self) -> None:
        tables = own('[[model]]\nid = "gemini-3.8-flash"\nsurfaces = { vertex_batch = "no" }\n')
        found = choose(tables, "gemini-3.8-flash", None, TODAY)
        assert isinstance(found, Refusal)
        assert "does no batch on Vertex AI (source: your own file mine.toml" in found.what


@pytest.mark.parametrize(
    ("toml", "line", "path", "says"),
    [
        (PRICE + '\n[[price]]\nmodel = "x"\n', 10, "price[1]", "`input` is missing"),
        (PRICE.replace('"0.30"', "0.30"), 1, "price[0]", "`input` is a text, in quotes, not 0.3"),
        (PRICE.replace('"0.30"', '"-1"'), 1, "price[0]", "`input` is an amount above zero in digits"),
        (PRICE.replace('"0.30"', '"0"'), 1, "price[0]", "above zero"),
        (PRICE + 'cached = "0.31"\n', 1, "price[0]", "cached input is dearer (0.31) than input (0.30)"),
        (PRICE + 'mode = "overnight"\n', 1, "price[0]", "`mode` is batch or standard or flex"),
        (PRICE + 'surface = "azure"\n', 1, "price[0]", "`surface` is vertex or developer"),
        (PRICE.replace("2026-11-25", "2026-11-19"), 1, "price[0]", "it ends (2026-11-19) before it begins"),
        (PRICE.replace("2026-11-25", '"2026-11-25"'), 1, "price[0]", "`valid_until` is a day such as"),
        (PRICE.replace("checked = 2026-11-20\n", ""), 1, "price[0]", "`checked` is missing"),
        (PRICE.replace("output", "ouput"), 1, "price[0]", "`ouput` is no key here; did you mean `output`?"),
        (PRICE + 'over_200k = { input = "0.1", output = "1.5" }\n', 1, "price[0]", "cheaper than short ones"),
        (PRICE + "\n" + PRICE, 10, "price[1]", "hold on 2026-11-20: this one and row 1"),
        (MODEL + "\n" + MODEL, 9, "model[1]", "gemini-9 has a row already, row 1"),
        (MODEL.replace("levels", "budget"), 1, "model[0]", "`budget` is [least, most] in tokens"),
        (MODEL.replace("2_000_000", "0"), 1, "model[0]", "above zero"),
        (MODEL.replace('"yes"', '"maybe"'), 1, "model[0]", "vertex_batch = 'maybe'"),
        (MODEL + "budget = [1, 2]\n", 1, "model[0]", "levels or a budget, one of them"),
        (MODEL + 'vertex = { served_by = "x" }\n', 1, "model[0]", "served_by and served_by_from go together"),
        (MODEL.replace('id = "gemini-9"\n', ""), 1, "model[0]", "`id` is missing"),
        ("[model]\nid = 'x'\n", 0, "model[0]", "in two pairs of brackets"),
        ("[[models]]\n", 0, "", "`models` is no table of this file"),
        ("[[price]\n", 1, "", "this is not TOML"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_row_and_line(toml: str, line: int, path: str, says: str) -> None:
    found = faults(toml)
    assert [(at, key) for at, key, _ in found] == [(line, path)]
    assert says in found[0][2]


def test_all_findings_come_at_once() -> None:
    assert len(faults(PRICE.replace('"0.30"', "0.30") + "\n" + MODEL.replace("2_000_000", "0"))) == 2
