"""Long lines on a terminal are broken between words; what a file or a pipe gets stays as it is."""

import io

import pytest

from overnight.cli.output import answer, folded

LONG = (
    "overnight: 1,000 records answered before would be asked again\n  → Say `overnight run --pay-again` if it is meant."
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")


def test_lines_are_broken_between_words_and_the_rest_is_set_in() -> None:
    assert folded(LONG, Terminal()).split("\n") == [
        "overnight: 1,000 records answered before",
        "  would be asked again",
        "  → Say `overnight run --pay-again` if",
        "    it is meant.",
    ]


def test_a_word_wider_than_the_terminal_is_left_whole() -> None:
    path = "/" + "a" * 60
    assert folded(f"at {path} there", Terminal()).split("\n") == ["at", f"  {path}", "  there"]


def test_the_words_of_a_row_go_on_below_themselves_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    row = "  a person        223   has to look: 167 unclear, 56 without text"
    assert folded(row, Terminal()) == f"  a person        223   has to look: 167 unclear,\n{' ' * 24}56 without text"
    monkeypatch.setenv("COLUMNS", "40")
    assert folded(row, Terminal()).split("\n")[1].startswith("    u")


def test_a_remark_behind_a_command_goes_below_it() -> None:
    line = "Next: overnight run my-study    (collects them)"
    assert folded(line, Terminal()) == "Next: overnight run my-study\n  (collects them)"


def test_a_remark_that_fits_stays_beside_its_command_whatever_else_is_said() -> None:
    said = "the ledger holds 1,100 records of three tables\nNext: overnight plan    (what, and why)"
    assert folded(said, Terminal()).split("\n")[-1] == "Next: overnight plan    (what, and why)"


def test_what_fits_and_what_no_person_reads_stay_as_they_are() -> None:
    assert folded("  answers         40", Terminal()) == "  answers         40"
    assert folded(LONG, io.StringIO()) == LONG


def test_json_is_never_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    answer('{"a": "' + "b " * 60 + '"}', whole=True)
    assert screen.getvalue().count("\n") == 1
