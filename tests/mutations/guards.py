"""The guards, one a row: what is taken out, the test that must notice, and what would happen without it.

`file` is below src/overnight. Each change replaces a text that occurs exactly once in it: a guard that was moved or
reworded fails loudly and its row is mended. `test` is fast: it runs twice in every suite.
"""
# ruff: noqa: E501 - the texts that are replaced are as long as they are

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guard:
    """changes: (old text, new text). why: what the guard is there for."""

    name: str
    file: str
    changes: tuple[tuple[str, str], ...]
    test: str
    why: str

    def __str__(self) -> str:
        return self.name


def guard(name: str, file: str, old: str, new: str, test: str, why: str) -> Guard:
    """With one change, as nearly all."""
    return Guard(name, file, ((old, new),), test, why)


MATCH = "tests/unit/test_match.py::"
LOOP = "tests/contract/test_run_loop.py::"
MENDED = "tests/contract/test_run_mended.py::"
GOOGLE = "tests/contract/test_run_google.py::"
HTTP = "tests/unit/test_google_http.py::"
STORAGE = "tests/unit/test_google_storage.py::"
LINT = "tests/unit/test_lint.py::"
IMPORT = "tests/contract/test_localcloud_importer.py::"
JOBS = "tests/contract/test_localcloud_jobs.py::"
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
        "    except (RefusedError, UnreachableError, CredentialsError):  # a definite no: nothing was made\n",
        "    except (RefusedError, UnavailableError, CredentialsError):\n",
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
        "        fact.kept = self.bill.kept(shard.reserved, n_rows)\n",
        "",
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

NETWORK = (
    guard(
        "a create is sent at most once",
        "google/http.py",
        '        result = self._try(self._once_session, "POST", url, body=body, timeout_s=timeout_s, once=True)\n',
        '        return self._repeated("POST", url, body=body)\n',
        f"{HTTP}test_everything_else_is_doubtful_and_sent_exactly_once",
        "a create that is repeated is a job that is paid twice",
    ),
    guard(
        "nor does google-auth repeat it",
        "google/http.py",
        "        self._once_session = access.session(repeat_on_401=False)\n",
        "        self._once_session = access.session()\n",
        f"{OWN}test_a_create_with_an_expired_token_goes_out_once",
        "a create would go out twice behind our back",
    ),
    guard(
        "a 5xx to a create is doubtful",
        "google/http.py",
        "    doubtful = code >= 500 or code in DOUBTFUL_4XX\n",
        "    doubtful = False\n",
        f"{HTTP}test_everything_else_is_doubtful_and_sent_exactly_once",
        "a job that may be there would be called refused",
    ),
    guard(
        "Retry-After is waited for",
        "google/http.py",
        "        return max(wait_s, failure.retry_after_s or 0.0)\n",
        "        return wait_s\n",
        f"{HTTP}test_retry_after_in_seconds_is_honoured",
        "a service that is busy would be asked all the time",
    ),
    guard(
        "credentials leave for no other host",
        "google/auth.py",
        '        check_destination(request.url or "", local=self._local)\n',
        "",
        f"{STORAGE}test_an_upload_address_elsewhere_gets_no_credentials",
        "a reply could send a token anywhere",
    ),
    guard(
        "an upload overwrites nothing",
        "google/storage.py",
        '                    content_type="application/jsonl",\n                    if_generation_match=0,\n',
        '                    content_type="application/jsonl",\n',
        f"{OWN}test_an_upload_asks_that_nothing_is_there",
        "another person's object would be gone",
    ),
    guard(
        "a 412 is our own success only with the same bytes",
        "google/storage.py",
        "        if (there.size_bytes, there.crc32c) == (meant.size_bytes, meant.crc32c):\n",
        "        if there.generation:\n",
        f"{STORAGE}test_another_object_of_that_name_is_not_overwritten",
        "a job would run on somebody else's input",
    ),
    guard(
        "a download is checked",
        "google/storage.py",
        '                file, checksum="crc32c", timeout=TIMEOUT_S, retry=self._retry\n',
        "                file, checksum=None, timeout=TIMEOUT_S, retry=self._retry\n",
        f"{STORAGE}test_bytes_changed_on_the_way_are_refused",
        "spoilt bytes would be read as answers",
    ),
    guard(
        "a label the service would not take is not sent",
        "google/batch_jobs.py",
        "    if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):\n",
        "    if not key:\n",
        "tests/unit/test_google_batch_jobs.py::test_a_label_the_service_would_not_take_is_not_sent",
        "a job would not be found by its label",
    ),
)

PAGES = (
    guard(
        "a text cell is defused in CSV",
        "records/write_csv.py",
        "[defused(cell) if isinstance(cell, str) else plain_text(cell) for cell in row]",
        "[plain_text(cell) for cell in row]",
        "tests/unit/test_records_writers.py::test_csv_bytes",
        "a spreadsheet would run what a model wrote",
    ),
    guard(
        "every sign that begins a formula is defused",
        "records/cells.py",
        '_FORMULA_SIGNS: Final = "=+-@\\t\\r"',
        '_FORMULA_SIGNS: Final = "="',
        "tests/unit/test_records_writers.py::test_text_that_a_spreadsheet_would_run_is_defused",
        "a spreadsheet would run what a model wrote",
    ),
    guard(
        "the report escapes",
        "report/render.py",
        "        autoescape=True,\n",
        "        autoescape=False,\n",
        "tests/unit/test_report_page.py::test_hostile_text_is_shown_as_text_with_its_control_characters_visible",
        "an abstract could run in the reader's browser",
    ),
    guard(
        "the report allows no source",
        "report/templates/report.html.jinja",
        "default-src 'none'; style-src",
        "default-src *; style-src",
        "tests/unit/test_report_page.py::test_one_file_that_loads_nothing_and_runs_nothing[google]",
        "what slips through the escaping could load something",
    ),
    guard(
        "control characters are made visible",
        "report/render.py",
        "    return fit(value) if type(value) is str else value\n",
        "    return value\n",
        "tests/unit/test_report_page.py::test_hostile_text_is_shown_as_text_with_its_control_characters_visible",
        "a page could not be encoded, or hide what it says",
    ),
)

LINTER = tuple(
    guard(f"linter: {rule}", "requests/lint.py", old, new, f"{LINT}{test}", "the whole job fails before a row runs")
    for rule, old, new, test in (
        ("numbers", "_NUMBER_LIKE.fullmatch(inner)", "not inner", "test_a_top_level_text_that_looks_like_a_number_would_come_back_as_one"),
        ("JSON", '            return [LintFinding("json", line', '            return [][:0] and [LintFinding("json", line', "test_vector[not JSON]"),
        ("a request in it", 'or not isinstance(value.get("request"), dict):', ":", "test_vector[no request]"),
        ("an object", "if not isinstance(value, dict) or", "if isinstance(value, list):\n            return []\n        if", "test_vector[a list as line]"),
        ("null", '                yield "null", path, "null where the importer expects a value"\n', "", "test_vector[null in a list]"),
        ("one type", "            yield from self._one_type(node, path, line)\n", "", "test_vector[type as text, then as list]"),
        ("one type in a list too", 'f"{path}[]"', 'f"{path}[{id(inner)}]"', "test_vector[mixed list]"),
        ("empty objects", '                    yield "empty_object", path, "an empty object"\n', "                    continue\n", "test_vector[empty tool]"),
        ("15 levels", "elif depth >= MAX_NESTING:", "elif depth > MAX_NESTING:", "test_vector[16 levels]"),
        ("lists in lists", '                    yield "nested_list", path, "a list in a list"\n', "                    continue\n", "test_vector[list in a list]"),
        ("names", "        if not _NAME.fullmatch(key):\n", "        if not key:\n", "test_vector[dollar in a name]"),
        ("names by case", "        if spelled != path:\n", "        if not spelled:\n", "test_vector[names that differ in case over lines]"),
        ("no rows", "    if not rows:\n", "    if rows < 0:\n", "test_vector[no lines]"),
        ("too many lines", "    if rows > MAX_LINES:\n", "    if rows > 10 * MAX_LINES:\n", "test_the_limits_are_exact"),
        ("too many bytes", "    if size_bytes > MAX_BYTES:\n", "    if size_bytes > 10 * MAX_BYTES:\n", "test_the_limits_are_exact"),
    )
)  # fmt: skip

IMPORTER = tuple(
    guard(
        f"importer: {rule}",
        "localcloud/vertex/importer.py",
        old,
        new,
        f"{IMPORT}{test}",
        "what runs here would fail on Google",
    )
    for rule, old, new, test in (
        ("JSON", "            raise ImportRefusedError(\n                f\"Error while reading data: JSON parsing error", "            return\n            raise ImportRefusedError(\n                f\"Error while reading data: JSON parsing error", "test_vector[not JSON]"),
        ("an object", "        if not isinstance(line, dict):\n", "        if isinstance(line, list):\n            return\n        if not isinstance(line, dict):\n", "test_vector[a list as line]"),
        ("a request in it", '        if "request" not in line:\n', '        if "request" not in line and "key" not in line:\n', "test_vector[no request]"),
        ("too many rows", "        if self.rows > MAX_ROWS:\n", "        if self.rows > 10 * MAX_ROWS:\n", "test_the_limits_are_exact"),
        ("too many bytes", "    if size_bytes > MAX_BYTES:\n", "    if size_bytes < 0:\n", "test_the_limits_are_exact"),
        ("no rows", "    if not table.rows:\n", "    if table.rows < 0:\n", "test_vector[no lines]"),
        ("empty objects", "        if not value:\n", "        if value is None:\n", "test_vector[empty tool]"),
        ("null", "            elif item is None:\n                raise ImportRefusedError(f\"Only optional fields can be set to NULL. Field: {name}; Value: NULL\")\n            else:\n                self._settle(child,", "            elif item is None:\n                continue\n            else:\n                self._settle(child,", "test_vector[null]"),
        ("null in a list", "            elif item is None:\n                raise ImportRefusedError(f\"Only optional fields can be set to NULL. Field: {name}; Value: NULL\")\n            else:\n                self._settle(column,", "            elif item is None:\n                continue\n            else:\n                self._settle(column,", "test_vector[null in a list]"),
        ("15 levels of names", "        if self._count_fields and level > MAX_LEVELS:\n", "        if self._count_fields and level > 10 * MAX_LEVELS:\n", "test_vector[16 levels]"),
        ("15 levels of objects", "        if level + 1 > MAX_LEVELS:\n", "        if level + 1 > 10 * MAX_LEVELS:\n", "test_nesting_is_counted_as_the_switch_says[records-17-FAILED]"),
        ("names", "        if not _NAME.fullmatch(name):\n", "        if name is None:\n", "test_vector[dollar in a name]"),
        ("names by case", "        if other != name and self._refuse_case_clash:\n", "        if other is None:\n", "test_vector[names that differ in case]"),
        ("lists in lists", '                raise ImportRefusedError(f"Nested arrays are not supported. Field: {name}")\n', "                continue\n", "test_vector[list in a list]"),
        ("list or plain", "        if known.startswith(_MANY) != kind.startswith(_MANY):\n            raise ImportRefusedError(", "        if known.startswith(_MANY) != kind.startswith(_MANY):\n            return\n            raise ImportRefusedError(", "test_vector[type as text, then as list]"),
        ("one type", "        raise ImportRefusedError(\n            f\"Could not convert value of field", "        return\n        raise ImportRefusedError(\n            f\"Could not convert value of field", "test_vector[mixed list]"),
    )
)  # fmt: skip

LOCAL_CLOUD = (
    *(
        guard(
            f"create: {rule}",
            f"localcloud/vertex/{file}.py",
            old,
            new,
            f"{JOBS}{test}",
            "what runs here would be refused by Google",
        )
        for rule, file, old, new, test in (
            ("no inline requests", "create", 'if "requests" in config or "inlinedRequests" in config or "fileName" in config:', "if not config:", "test_create_is_strict"),
            ("labels", "create", "        check_labels(body[\"labels\"])\n", "        pass\n", "test_create_is_strict"),
            ("fields that are none", "create", "    if unknown:\n", "    if not body:\n", "test_create_is_strict"),
            ("a model that is there", "models", "    if model is None or refused:\n", "    if model is None:\n", "test_create_is_strict"),
            ("a model for batch", "models", "    if model.batch == \"no\" or", "    if", "test_create_is_strict"),
            ("a model where it is", "models", "        or (model.locations and location not in model.locations)\n", "", "test_models_by_location_and_project"),
            ("a bucket where the job runs", "regions", '        if location != "global" and', "        if not location and", "test_a_bucket_lies_where_the_job_runs[EU-us-central1-FAILED]"),
        )
    ),
    guard(
        "the local cloud checks the Host",
        "localcloud/guard.py",
        "    if name.lower() not in _LOOPBACK_NAMES or not (port.isdigit() or not port):\n",
        "    if not name:\n",
        "tests/contract/test_localcloud_life.py::test_guard",
        "a page could reach it under a name of its own (DNS rebinding)",
    ),
    guard(
        "the local cloud refuses pages",
        "localcloud/guard.py",
        '    if b"origin" in headers:\n',
        '    if b"no-origin" in headers:\n',
        "tests/contract/test_localcloud_life.py::test_guard",
        "any page in a browser could use it",
    ),
    guard(
        "control needs the token",
        "localcloud/control.py",
        "            if not self.token or not secrets.compare_digest(given.encode(), self.token.encode()):\n",
        "            if not self.token:\n",
        "tests/contract/test_localcloud_life.py::test_control_needs_the_token",
        "any program on the machine could stop it",
    ),
)  # fmt: skip

GUARDS = (*IDENTITY, *LEDGER, *SENDING, *MONEY, *NETWORK, *PAGES, *LINTER, *IMPORTER, *LOCAL_CLOUD)
