"""Which model may be used, and what its thinking setting becomes. All dates come in."""

import re
from datetime import date

import pytest
import yaml

from overnight.errors import StudyError
from overnight.pricing import choose_max_output, packaged_tables, thinking_config
from overnight.pricing.catalogue import WAYS, read_models
from overnight.pricing.refusals import Chosen, Refusal, choose
from overnight.pricing.tables import with_own
from overnight.study.models import DeepThinkSpec

TODAY = date(2026, 11, 22)
TABLES = packaged_tables()
MODELS = TABLES.models


def refusal(name: str, today: date = TODAY) -> str:
    found = choose(TABLES, name, None, today)
    assert isinstance(found, Refusal), found
    assert found.path == "model.name"
    return str(found.finding({}))


def chosen(name: str, today: date = TODAY, thinking: str | int | None = None) -> Chosen:
    found = choose(TABLES, name, thinking, today)
    assert isinstance(found, Chosen), found
    return found


def thinking_refusal(name: str, thinking: str | int) -> str:
    with pytest.raises(StudyError) as caught:
        thinking_config(MODELS.models[name], thinking)
    assert [finding.path for finding in caught.value.findings] == ["model.thinking"]
    return str(caught.value)


def test_a_model_with_batch_is_found() -> None:
    found = chosen("gemini-3.8-flash")
    model = found.model
    assert (model.batch, model.max_output_tokens, model.levels) == ("yes", 65_536, ("low", "medium", "high"))
    assert found.warnings == ()


def test_every_row_says_who_says_so_and_when() -> None:
    for model in MODELS:
        assert model.source
        assert model.evidence in {"D", "S", "L", "U", "T", "?"}
        assert date(2026, 9, 1) < model.checked <= TODAY
        assert set(model.surfaces) <= set(WAYS)
        assert all(offer.evidence in {"D", "T", "?"} for offer in model.surfaces.values())
        for life in (model.vertex, model.developer):
            dated = (life.closed, life.retired, life.kept_until, life.served_by_from)
            assert not any(dated) or (life.source and life.evidence in {"D", "T"})
            assert not life.served_by or life.served_by in MODELS.models
        assert model.default in {*model.levels, "dynamic", "off", ""}
        assert not model.replaced_by or model.replaced_by in MODELS.models


def test_an_unknown_name_gets_the_nearest_that_does_batch() -> None:
    assert "gemini-3.8-flash" in refusal("gemini-3.8-flsh")
    assert MODELS.nearest("Gemini 3.5 Flash Lite", TODAY)[0] == "gemini-3.5-flash-lite"
    assert MODELS.nearest("gpt-5", TODAY)  # nothing is like it: the first of the table


@pytest.mark.parametrize("name", ["gemini-2.5-pro-002", "gemini-3.8-flash-001"])
def test_version_numbers_never_existed(name: str) -> None:
    assert "never existed" in refusal(name)


def test_a_path_is_not_an_id() -> None:
    message = refusal("publishers/google/models/gemini-3.8-flash")
    assert "write the id alone" in message
    assert "gemini-3.8-flash" in message.split("→")[1]


@pytest.mark.parametrize("name", ["gemini-3-deep-think-preview", "Deep Think", "gemini-2.5-deepthink"])
def test_deep_think_is_explained_with_the_recipe_that_stands_for_it(name: str) -> None:
    message = refusal(name)
    assert "no API serves Deep Think" in message
    assert "thinking: max}" in message
    (deep_think,) = re.findall(r"deep_think: (\{.*?\})", message)
    assert DeepThinkSpec.model_validate(yaml.safe_load(deep_think)).samples == 3, "nothing is offered that is refused"


def test_closed_and_retired_depend_on_the_day() -> None:
    assert chosen("gemini-2.5-pro", date(2026, 10, 19)).model.budget == (128, 32_768)
    assert "closed to new projects since 2026-10-20" in refusal("gemini-2.5-pro", date(2026, 10, 20))
    assert "was retired on 2027-03-31" in refusal("gemini-2.5-pro", date(2027, 3, 31))
    assert chosen("gemini-3.6-flash", date(2026, 11, 18)).model.id == "gemini-3.6-flash"
    assert "Use gemini-3.8-flash" in refusal("gemini-3.6-flash", date(2026, 11, 19))


@pytest.mark.parametrize("name", ["gemini-1.5-pro-002", "gemini-2.0-flash", "gemini-3-pro-preview"])
def test_names_of_the_past_are_refused_with_what_took_their_place(name: str) -> None:
    message = refusal(name)
    assert "never existed" not in message
    assert "Use gemini-3" in message


def test_doubts_and_coming_ends_are_cautions() -> None:
    doubt = chosen("gemini-4-carbon").warnings
    assert [finding.level for finding in doubt] == ["warning", "warning"]
    assert "no source states what gemini-4-carbon costs in a job" in doubt[1].what
    assert "not established" in doubt[0].what
    ending = chosen("gemini-3.7-flash").warnings
    assert "retired on 2027-01-28" in ending[0].what


@pytest.mark.parametrize(
    ("name", "asked", "config", "level"),
    [
        ("gemini-3.8-flash", "high", {"thinkingLevel": "HIGH"}, "high"),
        ("gemini-3.8-flash", "max", {"thinkingLevel": "HIGH"}, "high"),
        ("gemini-4-hydrogen", "max", {"thinkingLevel": "XHIGH"}, "xhigh"),
        ("gemini-3.5-flash-lite", "minimal", {"thinkingLevel": "MINIMAL"}, "minimal"),
        ("gemini-3.8-flash", None, {}, "medium"),
        ("gemini-3-flash-preview", None, {}, "default"),
        ("gemini-2.5-pro", "max", {"thinkingBudget": 32_768}, "32768"),
        ("gemini-2.5-pro", 128, {"thinkingBudget": 128}, "128"),
        ("gemini-2.5-pro", "4096", {"thinkingBudget": 4096}, "4096"),
        ("gemini-2.5-pro", -1, {"thinkingBudget": -1}, "dynamic"),
        ("gemini-2.5-flash", "off", {"thinkingBudget": 0}, "off"),
        ("gemini-2.5-flash", 0, {"thinkingBudget": 0}, "off"),
    ],
)
def test_thinking_becomes_what_the_model_takes(
    name: str, asked: str | int | None, config: dict[str, object], level: str
) -> None:
    thinking = thinking_config(MODELS.models[name], asked)
    assert (dict(thinking.config), thinking.level) == (config, level)
    assert thinking.explained
    assert choose_max_output(MODELS.models[name], thinking.level, 500, 1) > 500


def test_max_says_what_it_became() -> None:
    assert "max became xhigh" in thinking_config(MODELS.models["gemini-4-hydrogen"], "max").explained
    assert "24,576" in thinking_config(MODELS.models["gemini-2.5-flash"], "max").explained


@pytest.mark.parametrize(
    ("name", "asked", "says"),
    [
        ("gemini-3.8-flash", "minimal", "low, medium, high or max"),
        ("gemini-3.8-flash", "off", "the least is low"),
        ("gemini-3.8-flash", 4096, "no token budget"),
        ("gemini-3.8-flash", True, "low, medium, high or max"),
        ("gemini-2.5-pro", "off", "cannot be switched off"),
        ("gemini-2.5-pro", "high", "from 128 to 32768"),
        ("gemini-2.5-pro", 127, "from 128 to 32768"),
        ("gemini-2.5-flash-lite", 511, "from 512 to 24576"),
        ("gemini-2.5-flash", False, "from 1 to 24576"),
        ("gemini-2.5-flash", -2, "from 1 to 24576"),
    ],
)
def test_thinking_that_the_model_does_not_take_is_refused(name: str, asked: str | int, says: str) -> None:
    assert says in thinking_refusal(name, asked)


def test_a_row_with_levels_and_a_budget_is_refused() -> None:
    row = """
        [[model]]
        id = "x"
        surfaces = { vertex_batch = "yes [T]" }
        context_tokens = 1
        max_output_tokens = 1
        source = "s"
        evidence = "T"
        checked = 2026-11-22
    """
    with pytest.raises(ValueError, match="levels or a budget"):
        read_models(row)
    with pytest.raises(ValueError, match="levels or a budget"):
        read_models(row + 'levels = ["low"]\nbudget = [1, 2]')
    with pytest.raises(ValueError, match="'maybe'"):
        read_models(row.replace('"yes [T]"', '"maybe"') + 'levels = ["low"]')


def test_nobody_says_that_a_model_takes_a_seed_or_has_another_name() -> None:
    assert not any(model.takes_seed or model.aliases for model in MODELS), "a source first: none of those read says so"


def test_a_model_that_another_answers_for_is_refused_from_that_day_on() -> None:
    own = """
        [[model]]
        id = "gemini-3.5-flash"
        vertex = { served_by = "gemini-3.8-flash", served_by_from = 2026-12-01 }
    """
    tables = with_own(TABLES, own, "mine.toml")
    assert isinstance(choose(tables, "gemini-3.5-flash", None, date(2026, 11, 30)), Chosen)
    found = choose(tables, "gemini-3.5-flash", None, date(2026, 12, 1))
    assert isinstance(found, Refusal)
    assert "answered by gemini-3.8-flash since 2026-12-01, at that model's price" in found.what
    assert found.alternatives[0] == "gemini-3.8-flash"


def test_a_refusal_names_what_can_be_used_with_its_price() -> None:
    found = choose(TABLES, "gemini-3.6-flash", None, TODAY)
    assert isinstance(found, Refusal)
    assert 2 <= len(found.alternatives) <= 3
    assert "gemini-3.7-flash" not in found.alternatives, "it ends in two months"
    hint = found.finding({"gemini-3.8-flash": "about $1.20 for this study"}).hint
    assert hint.startswith("Use gemini-3.8-flash (about $1.20 for this study), ")


def test_a_name_of_another_maker_is_told_from_a_slip() -> None:
    said = {name: choose(TABLES, name, None, TODAY) for name in ("gpt-5", "gemini-99")}
    assert {name: "Gemini models are the only ones it asks" in found.what for name, found in said.items()} == {
        "gpt-5": True,
        "gemini-99": False,
    }


def test_a_thinking_setting_is_refused_with_models_that_take_it() -> None:
    found = choose(TABLES, "gemini-3.8-flash", "minimal", TODAY)
    assert isinstance(found, Refusal)
    assert found.path == "model.thinking"
    assert found.alternatives
    assert all("minimal" in MODELS.models[id_].levels for id_ in found.alternatives)
    nobody = choose(TABLES, "gemini-3.8-flash", 4096, TODAY)  # only 2.5 takes a budget, and that is closed
    assert isinstance(nobody, Refusal)
    assert nobody.alternatives == ()


class TestUnknown:
    def test_it_goes_through_when_asked_and_only_with_a_price(self) -> None:
        assert isinstance(choose(TABLES, "gemini-9", "high", TODAY), Refusal)
        unpriced = choose(TABLES, "gemini-9", "high", TODAY, allow_unknown=True)
        assert isinstance(unpriced, Refusal)
        assert 'model = "gemini-9"' in unpriced.hint
        found = choose(with_own(TABLES, PRICE, "mine.toml"), "gemini-9", "high", TODAY, allow_unknown=True)
        assert isinstance(found, Chosen)
        assert dict(found.thinking.config) == {"thinkingLevel": "HIGH"}
        assert "at most 32,768 tokens" in found.warnings[0].what

    def test_the_row_that_is_offered_can_be_pasted(self) -> None:
        unpriced = choose(TABLES, "gemini-9", "high", TODAY, allow_unknown=True)
        assert isinstance(unpriced, Refusal)
        pasted = unpriced.hint[unpriced.hint.index("[[price]]") :].replace('"…"', '"0.5"')
        tables = with_own(TABLES, pasted, "mine.toml")
        assert isinstance(choose(tables, "gemini-9", "high", TODAY, allow_unknown=True), Chosen)

    @pytest.mark.parametrize(
        ("asked", "config"),
        [
            (4096, {"thinkingBudget": 4096}),
            ("off", {"thinkingBudget": 0}),
            ("low", {"thinkingLevel": "LOW"}),
            (None, {}),
        ],
    )
    def test_its_thinking_is_passed_on_as_asked(self, asked: str | int | None, config: dict[str, object]) -> None:
        assert dict(thinking_config(MODELS.stranger("gemini-9"), asked).config) == config

    def test_the_most_it_takes_is_not_known(self) -> None:
        with pytest.raises(StudyError, match="1 thing") as caught:
            thinking_config(MODELS.stranger("gemini-9"), "max")
        assert "not known well enough for thinking: max" in str(caught.value)

    @pytest.mark.parametrize("name", ["gemini-1.5-pro", "gemini-2.5-pro-002", "deep-think"])
    def test_a_name_that_is_known_to_be_none_stays_refused(self, name: str) -> None:
        tables = with_own(TABLES, PRICE.replace("gemini-9", name), "mine.toml")
        assert isinstance(choose(tables, name, None, TODAY, allow_unknown=True), Refusal)


class TestAge:
    def test_a_row_that_nobody_looked_at_for_long_is_said(self) -> None:
        assert [w.what for w in chosen("gemini-3.8-flash", date(2026, 12, 13)).warnings] == []  # day 60
        (price,) = chosen("gemini-3.8-flash", date(2026, 12, 14)).warnings
        assert "the price of gemini-3.8-flash was last checked on 2026-10-14, 61 days ago" in price.what
        late = [w.what for w in chosen("gemini-3.8-flash", date(2027, 1, 5)).warnings]
        assert any("what is known of gemini-3.8-flash was last checked on 2026-11-01" in what for what in late)


PRICE = """
[[price]]
model = "gemini-9"
input = "0.50"
output = "2.00"
valid_from = 2026-11-01
checked = 2026-11-20
"""
