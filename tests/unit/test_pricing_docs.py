"""docs/reference/models-and-prices.md says what the tables say. A failure prints the table to put there."""

from pathlib import Path

from overnight.pricing import models, prices
from overnight.pricing.catalogue import Model, gone

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "models-and-prices.md"


def models_table() -> str:
    rows = [
        f"| `{each.id}` | {each.batch} | {each.max_output_tokens:,} | {thinking(each)} | {lifetime(each)} | "
        f"{each.source} [{each.evidence}], {each.checked} |"
        for each in models().values()
    ]
    head = "| model | batch | most output | thinking | on Vertex AI | source, checked |\n|---|---|---|---|---|---|"
    return "\n".join([head, *rows])


def thinking(model: Model) -> str:
    if model.budget is None:
        found = ", ".join(model.levels)
    else:
        off = "off, " if model.can_be_off else ""
        found = f"{off}{model.budget[0]:,} to {model.budget[1]:,} tokens"
    return f"{found}; by default {model.default or 'not known'}"


def lifetime(model: Model) -> str:
    parts = [f"closed to new projects {model.closed}"] if model.closed else []
    parts += [f"retired {model.retired}"] if model.retired else []
    parts += [model.note] if model.note else []
    return "; ".join(parts)


def prices_table() -> str:
    head = "| model | mode | in | out | cached | over 200k in / out / cached | from | until |\n" + "|---" * 8 + "|"
    rows = []
    for each in prices():
        long = each.over_200k
        tier = f"{long.input_usd_per_mtok} / {long.output_usd_per_mtok} / {long.cached_usd_per_mtok}" if long else ""
        rows.append(
            f"| `{each.model}` | {each.mode} | {each.input_usd_per_mtok} | {each.output_usd_per_mtok} | "
            f"{each.cached_usd_per_mtok or 'not known'} | {tier} | {each.valid_from} | {each.valid_until or ''} |"
        )
    return "\n".join([head, *rows])


def gone_table() -> str:
    rows = [f"| `{each.name}` | {each.why} | `{each.replaced_by}` |" for each in gone()]
    return "\n".join(["| name | why it is refused | use |\n|---|---|---|", *rows])


def test_the_page_shows_every_model() -> None:
    assert models_table() in PAGE.read_text("utf-8")


def test_the_page_shows_every_price() -> None:
    assert prices_table() in PAGE.read_text("utf-8")


def test_the_page_shows_every_name_that_is_gone() -> None:
    assert gone_table() in PAGE.read_text("utf-8")
