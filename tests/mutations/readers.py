"""The guards of the readers of bibliographic files: no record is lost in silence, and no number becomes another."""
# ruff: noqa: E501 - the texts that are replaced are as long as they are

from tests.mutations.guard import guard

RIS = "tests/unit/test_references_ris.py::"
BIBTEX = "tests/unit/test_records_bibtex.py::"
XML = "tests/unit/test_references_pubmed_xml.py::"

READERS = (
    guard(
        "a byte-order mark hides no record",
        "records/references/ris.py",
        '    line = line.lstrip("\\ufeff")\n    if match := _START',
        "    if match := _START",
        f"{RIS}test_files_put_together_with_their_byte_order_marks",
        "of files put together the first record of each would be text of the one before it",
    ),
    guard(
        "a record ends with the file",
        "records/references/ris.py",
        "        yield from _closed(source, draft)\n    yield from asides.findings()\n",
        "    yield from asides.findings()\n",
        f"{RIS}test_a_missing_er_ends_at_the_next_ty_and_at_the_end_of_the_file",
        "the last record of a file that lost its last line would be gone",
    ),
    guard(
        "two records without bounds are not one",
        "records/references/tagged.py",
        "    if len(again) > 1 and not texts",
        "    if not again and not texts",
        f"{RIS}test_two_records_with_nothing_at_all_between_them_are_refused",
        "two publications would be judged by one title and both abstracts",
    ),
    guard(
        "where nothing stands around the dash text is no tag",
        "records/references/ris.py",
        "(?:(?={_GLUED.pattern})({tags})|{tags}){_DASH}",
        "({tags}){_DASH}",
        f"{RIS}test_where_nothing_stands_around_the_dash_text_is_no_tag[CT-guided biopsy-None]",
        "an abstract would break off at `CT-guided`",
    ),
    guard(
        "a record that begins elsewhere by counting refuses the file",
        "records/references/format.py",
        "        if not errors and (start := next(starts, 0)) != piece.line:\n",
        "        if not errors and (start := next(starts, 0)) < 0:\n",
        f"{RIS}test_a_first_line_in_a_form_that_we_cannot_read_refuses_the_file_where_it_stands[TY: JOUR]",
        "a first line that the reader cannot read would be text",
    ),
    guard(
        "a record that was counted and not read refuses the file",
        "records/references/format.py",
        "    if start := next(starts, 0):\n",
        "    if (start := next(starts, 0)) < 0:\n",
        f"{RIS}test_a_last_record_that_was_counted_and_not_read_refuses_the_file",
        "the end of a file could be missing from the table",
    ),
    guard(
        "an entry without a key is an entry",
        "records/references/bibtex.py",
        '        return "", body\n',
        "        pass\n",
        f"{BIBTEX}test_keys_that_are_missing_there_twice_or_odd_lose_no_record",
        "its first field, mostly the title, would be its key",
    ),
    guard(
        "an entry in another's braces is seen",
        "records/references/bibtex.py",
        "    if number in block.swallowed:",
        "    if number < 0:",
        f"{BIBTEX}test_an_entry_in_the_braces_of_another_is_refused_though_braces_too_many_follow[@MISC{{b, title = {{Two}}}}]",
        "an entry would be text in another one's title",
    ),
    guard(
        "text in markup is text",
        "records/references/xml.py",
        '    return "".join(_pieces(element, "", 0))\n',
        '    return element.text or ""\n',
        f"{XML}test_every_element_of_an_article_is_in_its_column",
        "an abstract would end at its first italic word",
    ),
    guard(
        "what stands above the line stays above it",
        "records/references/xml.py",
        "        if place:\n            words = raised",
        "        if place and not words:\n            words = raised",
        f"{XML}test_what_stands_above_the_line_does_not_become_another_number[a million]",
        "a million would be 106, in the table and in the prompt",
    ),
    guard(
        "a download behind another one is of the same kind",
        "records/references/xml.py",
        'begins_with(rf"<{self._outermost}[\\s/>]").match(head)',
        'begins_with("").match(head)',
        f"{XML}test_another_kind_of_xml_behind_the_end_is_refused",
        "records of another format would be passed over",
    ),
)
