"""What in docs/ is made from the code says what the code says: `make docs` would change nothing."""

import pytest
from docs.build import BLOCK, MADE, pages, rebuilt


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_building_changes_nothing(page) -> None:  # type: ignore[no-untyped-def]  # pytest fills it
    text = page.read_text(encoding="utf-8")
    assert rebuilt(text) == text, "run `make docs`"


def test_every_made_block_stands_on_a_page() -> None:
    placed = {found["name"] for page in pages() for found in BLOCK.finditer(page.read_text(encoding="utf-8"))}
    assert placed == set(MADE)
