"""docs/reference/study-file.md against the models: no key without a word about it, and its examples load."""

import re
from pathlib import Path

import pytest

from overnight.study.load import KEYS, load_study
from overnight.study.models import (
    AskSpec,
    BudgetSpec,
    CloudSpec,
    Criterion,
    DeepThinkSpec,
    FieldSpec,
    FileSpec,
    Model,
    ModelSpec,
    PromptsSpec,
    RecordsSpec,
    ScreenSpec,
)
from overnight.study.not_yet import KEYS_NOT_YET

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "study-file.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize(
    ("title", "models"),
    [
        ("records", (RecordsSpec, FileSpec)),
        ("screen", (ScreenSpec, Criterion, PromptsSpec)),
        ("deep_think", (DeepThinkSpec,)),
        ("ask", (AskSpec, FieldSpec)),
        ("model", (ModelSpec,)),
        ("budget", (BudgetSpec,)),
        ("cloud", (CloudSpec,)),
    ],
)
def test_every_key_is_on_the_page(title: str, models: tuple[type[Model], ...]) -> None:
    not_written = {"kind", "prefix"}  # from the list a criterion stands in; from the bucket's address
    keys = {key for model in models for key in model.model_fields} - not_written
    assert keys - set(re.findall(r"`([a-z_]+)`", section(title))) == set()


def test_every_top_level_key_is_on_the_page() -> None:
    assert set(KEYS) <= set(re.findall(r"`([a-z_]+)`", section("Top level")))


def test_what_is_not_in_this_version_is_on_the_page() -> None:
    text = section("What is not in this version")
    assert [key for key in map(".".join, KEYS_NOT_YET) if f"`{key}`" not in text] == []
    # Nor is a key called missing that is there.
    assert not set(KEYS) & set(re.findall(r"`([a-z_.]+)`", text))


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_its_examples_load(example: str, tmp_path: Path) -> None:
    for name in ("pubmed.csv", "scopus.csv", "reviews.parquet"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "my-screen.txt").write_text("Judge.", encoding="utf-8")
    (tmp_path / "study.yaml").write_text(example, encoding="utf-8")
    assert load_study(tmp_path).warnings == ()
