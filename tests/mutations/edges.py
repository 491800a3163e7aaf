"""The guards at the edges: what goes out over the network, and what goes into files that people open."""

from tests.mutations.guard import guard

HTTP = "tests/unit/test_google_http.py::"
STORAGE = "tests/unit/test_google_storage.py::"
OWN = "tests/mutations/test_unshared.py::"

NETWORK = (
    guard(
        "a create is sent at most once",
        "google/http.py",
        "            lambda failure: failure.unsent,\n",
        "            lambda failure: failure.again,\n",
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
        '                file, checksum="crc32c", timeout=self._timeout_s, retry=self._retry\n',
        "                file, checksum=None, timeout=self._timeout_s, retry=self._retry\n",
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
        "records/writers/csv.py",
        "[defused(cell) if isinstance(cell, str) else plain_text(cell) for cell in row]",
        "[plain_text(cell) for cell in row]",
        "tests/unit/test_records_writers.py::test_csv_bytes",
        "a spreadsheet would run what a model wrote",
    ),
    guard(
        "every sign that begins a formula is defused",
        "records/writers/cells.py",
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
        "the most doubtful records are on the page",
        "wiring/report_screen.py",
        "key = (_BY_CONCERN[concern], -split, number)",
        "key = (0, -split, number)",
        "tests/unit/test_report_screen.py::test_the_lists_are_bounded_and_the_counts_are_not",
        "records without an abstract could leave no room for those on which samples differ",
    ),
    guard(
        "a quote is marked where the table has it",
        "wiring/report_voices.py",
        "Quote(one.place.start, one.place.end, one.id, by)",
        "Quote(one.place.start + 1, one.place.end, one.id, by)",
        "tests/unit/test_report_screen.py::test_a_quote_is_marked_where_it_stands_in_the_cell_and_said_whose",
        "a person would check other words than the verdict rests on",
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
