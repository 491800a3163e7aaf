"""Guards of `overnight pilot` taken out, for tests/mutations/test_guards.py."""
# ruff: noqa: E501 - the texts that are replaced are as long as they are

from tests.mutations.guard import guard

PILOT = "tests/unit/test_pilot.py::"
PILOTED = "tests/contract/test_run_pilot.py::"
PILOTS = (
    guard(
        "outside the pilot nothing is asked for the first time",
        "planning/difference.py",
        "        return [wanted for wanted in found if wanted.standing.state is not State.UNKNOWN]\n",
        "        return found\n",
        f"{PILOT}TestPlan::test_only_the_pilot_is_asked_and_then_only_the_rest",
        "a pilot would be the whole, and paid for",
    ),
    guard(
        "a pilot is drawn by text, not taken from the top of the table",
        "planning/pilot.py",
        "        number = draw(texts)\n",
        "        number = of\n",
        f"{PILOT}TestDrawn::test_the_first_of_the_draw_are_taken_whatever_the_order_of_rows",
        "what it measures would say nothing of the others",
    ),
    guard(
        "a study that draws by a seed has its pilot drawn by it",
        "run/pilot.py",
        "    if seed is not None and own is not None and seed != own:\n",
        "    if seed is not None and own is not None and seed == n:\n",
        f"{PILOTED}TestWithFit::test_another_seed_is_refused",
        "the part that is paid for would be no random sample any more",
    ),
    guard(
        "what a pilot leaves out is not taken for too dear",
        "run/loop.py",
        "    if world.pilot is not None and not planned.plan.not_sent[NotSent.OVER_BUDGET]:\n        return",
        "    if world.pilot is not None and not planned.plan.not_sent[NotSent.OVER_BUDGET]:\n        pass",
        f"{PILOTED}TestWithFit::test_a_pilot_after_the_run_calls_nothing_back_that_was_left_out",
        "records that were left out for their price would be called open",
    ),
    guard(
        "a pilot's jobs are collected before the others are sent",
        "run/loop.py",
        "    if world.pilot is None and world.ledger.pilots.current(world.realm) is not None:\n        return\n",
        "",
        f"{PILOTED}TestOnGoogle::test_run_collects_the_pilots_jobs_before_it_sends_the_others",
        "the others would be sent without what the pilot is to measure",
    ),
    guard(
        "nobody has asked about what is left out",
        "run/send.py",
        "                if one.standing.state is State.UNKNOWN:  # left out: nobody has asked it\n                    continue\n",
        "",
        f"{PILOTED}TestOnGoogle::test_records_outside_it_that_leave_the_files_are_not_missed",
        "records that were never asked would be named as vanished",
    ),
)
