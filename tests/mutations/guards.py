"""The guards, one a row: what is taken out, the test that must notice, and what would happen without it.

`file` is below src/overnight. Each change replaces a text that occurs exactly once in it: a guard that was moved or
reworded fails loudly and its row is mended. `test` is fast: it runs twice in every suite.
"""
# ruff: noqa: E501 - the texts that are replaced are as long as they are

from tests.mutations.edges import NETWORK, PAGES
from tests.mutations.guard import Guard, guard
from tests.mutations.rules import IMPORTER, LINTER, LOCAL_CLOUD

MATCH = "tests/unit/test_match.py::"
LOOP = "tests/contract/test_run_loop.py::"
MENDED = "tests/contract/test_run_mended.py::"
GOOGLE = "tests/contract/test_run_google.py::"
OWN = "tests/mutations/test_unshared.py::"

IDENTITY = (
    guard(
        "the fingerprint check",
        "answers/match.py",
        "        if fingerprint(reply.echo) == row.fingerprint:\n",
        "        if reply.echo:\n",
        f"{MATCH}test_key_and_text_disagree_is_never_an_answer",
        "an answer under the wrong key would be taken",
    ),
    guard(
        "a key of another attempt is foreign",
        "answers/match.py",
        "if row is None or row.attempt != attempt:",
        "if row is None:",
        f"{MATCH}test_what_settles_nothing_is_a_stray_of_its_kind_and_suspicious",
        "a line of an attempt that this job did not make would settle it",
    ),
    guard(
        "the surplus rule",
        "answers/match.py",
        "        if address in self._answered:\n            stray",
        "        if not address:\n            stray",
        f"{MATCH}TestSurplus::test_a_line_for_what_was_settled_before_is_stored_and_replaces_nothing",
        "a late line would settle a request a second time",
    ),
    guard(
        "what an earlier attempt answered is known when a job is read",
        "run/collect.py",
        "        answered=_answered_before(world, expected) - kept,\n",
        "",
        f"{OWN}test_a_late_answer_of_an_early_attempt_makes_the_later_one_surplus",
        "a request would have two answers",
    ),
    guard(
        "the final file counts before chunks",
        "answers/match.py",
        "    return mismatched, unverified, problem, place.chunk, outcome",
        "    return mismatched, unverified, problem, False, outcome",
        f"{MATCH}TestTwoLines::test_the_better_one_counts[final]",
        "which of two lines counts would depend on the time in a chunk",
    ),
    guard(
        "an answer comes before a problem of the same request",
        "answers/match.py",
        "    problem = outcome.kind is not None\n",
        "    problem = False\n",
        f"{MATCH}TestTwoLines::test_the_better_one_counts[answer before problem]",
        "an answer that is paid for would be thrown away",
    ),
    guard(
        "a stand-in never answers for Google",
        "answers/match.py",
        "elif self._realm == GOOGLE and STAND_IN_SUFFIX in reply.model_version:",
        "elif not self._realm:",
        f"{MATCH}TestStandIn::test_its_answers_are_none_in_realm_google",
        "a program's answers would pass for a model's",
    ),
    guard(
        "an answer is checked against its schema",
        "answers/match.py",
        "            kind, detail, answer = checked.problem, checked.detail, checked.answer\n",
        "            kind, detail, answer = None, checked.detail, checked.answer or reply.text.encode()\n",
        f"{MATCH}test_an_answer_not_of_the_schema_is_a_problem_with_its_path",
        "what is not of the form asked for would be an answer",
    ),
    guard(
        "the realm is part of the address",
        "core/identity.py",
        '"\\n".join((ADDRESS_SCHEME, realm, model,',
        '"\\n".join((ADDRESS_SCHEME, "", model,',
        "tests/unit/test_identity.py::TestAddress::test_written_down_vectors_never_change",
        "an answer of the stand-in would settle Google's request",
    ),
    guard(
        "a key is ours only in full",
        "core/identity.py",
        '_WIRE_KEY = re.compile(r"k([0-9a-f]{32})-a([1-9][0-9]{0,5})")',
        '_WIRE_KEY = re.compile(r"k?([0-9a-f]{32})-a([0-9]{1,6})")',
        "tests/unit/test_identity.py::TestWireKey::test_what_is_no_key_of_ours_is_none",
        "a key that was changed on the way would be taken for ours",
    ),
    guard(
        "a status means that the row failed",
        "answers/parse.py",
        "    if line.status:\n",
        "    if line.status and line.response is None:\n",
        "tests/unit/test_parse.py::test_vector",
        "a failed row with something in its response would be an answer",
    ),
)

LEDGER = (
    guard(
        "an answer is never replaced",
        "run/collect.py",
        "        if found.outcome.address in self.kept:\n            return\n",
        "",
        f"{OWN}test_reading_output_again_leaves_its_answers_as_they_are",
        "reading again would write a second answer beside the first",
    ),
    guard(
        "reading again removes problems only",
        "ledger/outcomes.py",
        "DELETE FROM outcome WHERE shard = ? AND kind IS NOT NULL",
        "DELETE FROM outcome WHERE shard = ?",
        f"{OWN}test_reading_output_again_leaves_its_answers_as_they_are",
        "an answer could be lost",
    ),
    guard(
        "the first answer counts when facts are folded",
        "planning/standing.py",
        "            if code & 7 == State.ANSWERED:\n",
        "            if code < 0:\n",
        "tests/unit/test_standing.py::TestFolding::test_an_answer_settles_and_is_never_replaced",
        "which answer a record has would change over time",
    ),
    guard(
        "a shard moves to the right only",
        "ledger/shards.py",
        "        if cursor.rowcount != 1:\n",
        "        if cursor.rowcount > 1:\n",
        f"{OWN}test_a_shard_moves_to_the_right_only",
        "a job that was made could be forgotten, or made again",
    ),
    guard(
        "one process at a time changes a study",
        "ledger/ledger.py",
        "            self._lock.acquire(timeout=0)\n",
        "            self._lock.is_locked\n",
        f"{OWN}test_a_second_lock_is_refused_and_the_first_ones_holder_named",
        "two runs would send the same requests",
    ),
    guard(
        "a transaction undoes itself",
        "ledger/database.py",
        "            undo.callback(_roll_back, connection)\n",
        '            undo.callback(connection.execute, "COMMIT")\n',
        f"{OWN}test_half_a_fact_is_none",
        "half of a job's outcomes would look like all of them",
    ),
    guard(
        "the sums are checked before results are published",
        "run/publish.py",
        "        if whole != parts:\n",
        "        if whole < 0:\n",
        f"{OWN}test_sums_that_do_not_add_up_publish_nothing",
        "lost rows would not be noticed",
    ),
    guard(
        "the sums of a job are checked before it is settled",
        "run/collect.py",
        "        if n_rows != tally.accepted + self.unsettled + matcher.settled_before:\n",
        "        if n_rows < 0:\n",
        f"{OWN}test_a_job_whose_rows_do_not_add_up_is_not_settled",
        "lost rows would not be noticed",
    ),
)

SENDING = (
    Guard(
        "the intent is on disk before the upload",
        "run/send.py",
        (
            (
                "    number = ledger.shards.intend(\n",
                "    world.backend.stage(place, [], {})\n    number = ledger.shards.intend(\n",
            ),
        ),
        f"{OWN}test_the_ledger_says_what_is_meant_before_it_is_done[stage-intended]",
        "after a crash nobody would know of the objects",
    ),
    Guard(
        "the intent is on disk before the create",
        "run/send.py",
        (
            (
                "    left = shards.submitting(number, reserve, leave.caps)\n    shard = shards.get(number)\n",
                "    shard = shards.get(number)\n    job = _create(world, shard, {LABEL: shard.label, STUDY_LABEL: world.ledger.uid})\n    left = shards.submitting(number, reserve, leave.caps)\n",
            ),
            ("        job = _create(world, shard, labels)\n", "        labels.clear()\n"),
        ),
        f"{OWN}test_the_ledger_says_what_is_meant_before_it_is_done[submit-submitting]",
        "after a crash the job would be made a second time",
    ),
    guard(
        "a create without a reply on record is looked for by its label",
        "run/recover.py",
        "    found = look_for(world, shard)\n",
        "    found: Sequence[JobStatus] = []\n",
        f"{GOOGLE}TestCreateWithoutReply::test_the_job_is_found_by_its_label",
        "a job that was made would be made again",
    ),
    guard(
        "not listed does not prove not made",
        "run/recover.py",
        "    not_made = world.backend.patience.then_create",
        "    not_made = True",
        f"{GOOGLE}TestCreateWithoutReply::test_a_job_that_is_not_listed_is_never_made_again_on_a_guess",
        "a job that is listed late would be made again",
    ),
    guard(
        "a job that may exist keeps its reservation",
        "run/recover.py",
        "abandon(world, shard, may_bill=not not_made,",
        "abandon(world, shard,",
        f"{MENDED}TestDoubt::test_sent_again_on_a_persons_word_the_first_jobs_worst_case_stays_reserved",
        "its cost would come on top of the limit",
    ),
    guard(
        "no usable reply to a create is a doubt, not a no",
        "run/send.py",
        "    except (RefusedError, CredentialsError):  # a definite no: nothing was made\n",
        "    except (RefusedError, CredentialsError, UnavailableError):\n",
        f"{GOOGLE}TestCreateWithoutReply::test_the_job_is_found_by_its_label",
        "the shard would be abandoned and its job paid for all the same",
    ),
    guard(
        "an object that somebody else wrote is left alone",
        "run/send.py",
        "        foreign = isinstance(cause, RefusedError) and cause.code == ALREADY_THERE\n",
        "        foreign = False\n",
        f"{MENDED}TestCopiedLedger::test_an_object_somebody_else_wrote_is_not_removed",
        "another person's input would be deleted",
    ),
    guard(
        "a label has a random part",
        "run/send.py",
        "secrets.token_hex(3)",
        "'000000'",
        f"{MENDED}TestCopiedLedger::test_two_copies_of_a_ledger_never_share_a_label_or_a_place",
        "two copies of a ledger would collect each other's jobs",
    ),
    guard(
        "what is in flight is not sent again",
        "planning/difference.py",
        "        elif standing.state is State.IN_FLIGHT:\n            plan.in_flight += 1\n",
        "",
        "tests/unit/test_difference.py::TestClosing::test_what_is_in_flight_is_not_sent_again",
        "every run would pay again for what is under way",
    ),
    guard(
        "a permanent problem is given up at once",
        "planning/standing.py",
        "        if following is Next.GIVE_UP or standing.tries >= self.attempts:\n",
        "        if standing.tries >= self.attempts:\n",
        "tests/unit/test_standing.py::TestPolicy::test_a_permanent_problem_is_given_up_at_once_and_no_other",
        "what cannot be answered would be paid for three times",
    ),
    guard(
        "attempts are bounded",
        "planning/standing.py",
        "        if following is Next.GIVE_UP or standing.tries >= self.attempts:\n",
        "        if following is Next.GIVE_UP:\n",
        "tests/unit/test_standing.py::TestPolicy::test_attempts_are_bounded",
        "a row that always fails would be paid for without end",
    ),
    guard(
        "the breaker counts rows that are wrong in suspicious ways",
        "answers/match.py",
        "        return self.suspicious >= BREAKER_ROWS and self.suspicious > BREAKER_SHARE * n_rows\n",
        "        return False\n",
        f"{MATCH}test_the_breaker_trips_at_ten_and_above_two_percent",
        "a mistake of ours would be paid for three times",
    ),
    guard(
        "lines of nobody count for the breaker",
        "answers/match.py",
        "        self.tally.suspicious += bad\n",
        "",
        f"{MATCH}test_what_settles_nothing_is_a_stray_of_its_kind_and_suspicious",
        "a job whose keys are all lost would be paid for again",
    ),
    guard(
        "the breaker is written with the job",
        "run/collect.py",
        "        fact.breaker = tally.breaker_tripped(n_rows) or self.output_is_gone(status, tally)\n",
        "        fact.breaker = self.output_is_gone(status, tally)\n",
        f"{LOOP}TestBreaker::test_reading_again_with_better_eyes_lifts_it_for_free",
        "the next run would not know of it",
    ),
    guard(
        "the breaker is looked at before anything is sent",
        "run/gate.py",
        '        if shard.breaker == "tripped":\n',
        '        if shard.breaker == "looked at":\n',
        f"{LOOP}TestBreaker::test_reading_again_with_better_eyes_lifts_it_for_free",
        "suspicious rows would be sent again",
    ),
    guard(
        "output that is gone stops the run",
        "run/collect.py",
        "        return status.state in _SUCCEEDED and 2 * tally.lines < (status.succeeded or 0)\n",
        "        return False\n",
        "tests/contract/test_run_output.py::test_output_that_is_gone_although_rows_were_done_is_not_bought_again",
        "rows that were served would be paid for again",
    ),
    guard(
        "output is looked for until it is listed",
        "run/collect.py",
        "        return _EMPTY_LOOKS_S\n",
        "        return ()\n",
        f"{LOOP}TestListing::test_output_that_is_listed_after_the_job_succeeded_is_waited_for",
        "all rows of a job would be called missing and paid for again",
    ),
    guard(
        "a listing counts when two looks agree",
        "run/collect.py",
        "        if complete and found == before:\n",
        "        if complete:\n",
        f"{OWN}test_a_listing_counts_when_two_looks_agree",
        "files that are listed a moment later would be missing",
    ),
    guard(
        "a failure of the configuration is not sent again",
        "run/collect.py",
        "    if not status.is_refused:\n        return None\n",
        "    if status.name:\n        return None\n",
        f"{OWN}test_a_job_that_fails_for_its_configuration_stops_the_run",
        "the same job would fail for each attempt",
    ),
    guard(
        "answers are not paid for again without a word",
        "run/gate.py",
        "    _pay_again(world, planned, options, agreed)\n",
        "",
        "tests/contract/test_run_edits.py::TestBetweenRuns::"
        "test_paying_again_for_an_edited_study_is_asked_first_with_what_it_wastes",
        "an edited prompt would be paid for at once",
    ),
)

MONEY = (
    guard(
        "a reservation never passes the cap",
        "ledger/shards.py",
        "            if left is not None and reserve is not None and reserve > left:\n",
        "            if left is not None and reserve is None:\n",
        f"{OWN}test_a_reservation_never_passes_the_cap",
        "two runs, or one that planned on old figures, would pass the limit",
    ),
    guard(
        "what is under way counts with its worst case",
        "ledger/shards.py",
        "                total = total + (fact.reserved or Usd())\n",
        "                total = total + Usd()\n",
        f"{OWN}test_a_reservation_never_passes_the_cap",
        "jobs under way would be free",
    ),
    guard(
        "rows without token counts keep their reservation",
        "run/collect.py",
        "        fact.billed, fact.kept = settled_amounts(shard, rows)\n",
        "        fact.billed, _ = settled_amounts(shard, rows)\n",
        f"{GOOGLE}TestLimit::test_a_job_that_fails_after_it_ran_keeps_its_reservation_as_unknown_cost",
        "what a failed job cost would be counted as nothing",
    ),
    guard(
        "on Google a person says yes first",
        "run/gate.py",
        "    _consent(world, planned,",
        "    _unasked = (world, planned,",
        f"{GOOGLE}TestConsent::test_without_a_terminal_and_without_a_budget_nothing_is_sent",
        "a run would spend without being asked",
    ),
    guard(
        "less than is expected is refused before anything is uploaded",
        "run/gate.py",
        "    if left is not None and planned.expected > left:\n",
        "    if left is None and planned.expected is None:\n",
        f"{GOOGLE}TestConsent::test_less_than_is_expected_is_refused_before_anything_is_uploaded[budget]",
        "half a study would be paid for",
    ),
)

GUARDS = (*IDENTITY, *LEDGER, *SENDING, *MONEY, *NETWORK, *PAGES, *LINTER, *IMPORTER, *LOCAL_CLOUD)
