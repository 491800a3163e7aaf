"""Which model may be used, and what its thinking setting becomes. All dates come in."""

from datetime import date

import pytest

from overnight.errors import StudyError
from overnight.pricing import choose_max_output, packaged_models, thinking_config
from overnight.pricing.catalogue import read_models

TODAY = date(2026, 11, 22)
MODELS = packaged_models()


def refusal(name: str, today: date = TODAY) -> str:
    with pytest.raises(StudyError) as caught:
        MODELS.find(name, today)
    assert [finding.path for finding in caught.value.findings] == ["model.name"]
    return str(caught.value)


def thinking_refusal(name: str, thinking: str | int) -> str:
    with pytest.raises(StudyError) as caught:
        thinking_config(MODELS.models[name], thinking)
    assert [finding.path for finding in caught.value.findings] == ["model.thinking"]
    return str(caught.value)


def test_a_model_with_batch_is_found() -> None:
    model = MODELS.find("gemini-3.8-flash", TODAY)
    assert (model.batch, model.max_output_tokens, model.levels) == ("yes", 65_536, ("low", "medium", "high"))
    assert MODELS.cautions(model, TODAY) == ()


def test_every_row_says_who_says_so_and_when() -> None:
    for model in MODELS:
        assert model.source
        assert model.evidence in {"D", "S", "L", "U", "T", "?"}
        assert date(2026, 9, 1) < model.checked <= TODAY
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
def test_deep_think_is_explained_with_what_comes_nearest_in_this_version(name: str) -> None:
    message = refusal(name)
    assert "no API serves Deep Think" in message
    assert "thinking: max}" in message
    assert "`deep_think`), are not in this version" in message, "nothing is offered that the study file refuses"


def test_closed_and_retired_depend_on_the_day() -> None:
    assert MODELS.find("gemini-2.5-pro", date(2026, 10, 19)).budget == (128, 32_768)
    assert "closed to new projects since 2026-10-20" in refusal("gemini-2.5-pro", date(2026, 10, 20))
    assert "was retired on 2027-03-31" in refusal("gemini-2.5-pro", date(2027, 3, 31))
    assert MODELS.find("gemini-3.6-flash", date(2026, 11, 18)).id == "gemini-3.6-flash"
    assert "Use gemini-3.8-flash" in refusal("gemini-3.6-flash", date(2026, 11, 19))


@pytest.mark.parametrize("name", ["gemini-1.5-pro-002", "gemini-2.0-flash", "gemini-3-pro-preview"])
def test_names_of_the_past_are_refused_with_what_took_their_place(name: str) -> None:
    message = refusal(name)
    assert "never existed" not in message
    assert "Use gemini-3" in message


def test_doubts_and_coming_ends_are_cautions() -> None:
    doubt = MODELS.cautions(MODELS.find("gemini-4-carbon", TODAY), TODAY)
    assert [finding.level for finding in doubt] == ["warning"]
    assert "not established" in doubt[0].what
    ending = MODELS.cautions(MODELS.find("gemini-3.7-flash", TODAY), TODAY)
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
        batch = "yes"
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
        read_models(row.replace('"yes"', '"maybe"') + 'levels = ["low"]')
