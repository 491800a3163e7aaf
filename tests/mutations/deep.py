"""The guards of several samples in the loop: a lost ledger, places of quotes, who is asked anew."""
# ruff: noqa: E501 - the texts that are replaced are as long as they are

from tests.mutations.guard import guard

LOOP = "tests/contract/test_run_deep.py::"
LOST = "tests/contract/test_run_deep_google.py::test_a_lost_ledger_comes_back_with_samples_and_adjudications_each_bound_as_it_was"

DEEP = tuple(
    guard(f"deep think: {name}", file, old, new, test, why)
    for name, file, old, new, test, why in (
        (
            "recover tells samples of one recipe apart", "run/rebuild.py",
            "samples[stage, recipe.digest].append(sample)", "samples[stage, recipe.digest] = [sample]",
            f"{LOST}[one criterion]", "`forget` would leave two of three samples as they are",
        ),
        (
            "a manifest names every sample of its recipe", "run/send.py",
            '"samples": [sample for', '"samples": [1 for',
            f"{LOST}[two criteria]", "a rebuilt ledger would not know what the other samples began with",
        ),
        (
            "places are counted from the cell's begin", "requests/cleaning.py",
            "len(text) - len(text.lstrip())", "0",
            "tests/unit/test_cleaning.py::test_places_of_a_text_that_is_left_as_it_is_begin_behind_its_blanks", "the wrong words would be highlighted",
        ),
        (
            "the adjudicator waits for every sample", "planning/screening.py",
            "        if not _all_there(settled, wanted):\n", "        if not _all_there(settled, 1):\n",
            f"{LOOP}TestProblems::test_a_blocked_sample_is_a_contest_and_its_retry_asks_the_adjudicator_anew_once", "an adjudication would be paid for that is of no use",
        ),
    )
)  # fmt: skip
