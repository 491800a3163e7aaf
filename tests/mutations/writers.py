"""The guards of the writers: a person's own record is theirs, ours are known again, and made-up answers say so."""

from tests.mutations.guard import guard

RIS = "tests/unit/test_writers_ris.py::"
BIBTEX = "tests/unit/test_writers_bibtex.py::"
MARKS = "tests/unit/test_marks.py::"

WRITERS = (
    guard(
        "a person's own RIS comes back as it was",
        "records/writers/ris.py",
        "    if format_ == FORMAT and raw:\n",
        "    if format_ == FORMAT and raw and citation:\n",
        f"{RIS}test_no_answer_can_break_a_record[\\n]",
        "tags that we have no column for would be gone from a person's library",
    ),
    guard(
        "a person's own line ends stay",
        "records/writers/ris.py",
        '        self.end = first[len(first.rstrip("\\r\\n")) :] or _USUAL_END\n',
        "        self.end = _USUAL_END\n",
        f"{RIS}test_a_record_keeps_every_character_and_its_line_ends[\\r]",
        "a record would be written back changed",
    ),
    guard(
        "our note of an earlier run is replaced",
        "records/writers/ris.py",
        '        if tag == "N1" and _is_whole(tags, place) and',
        '        if tag == "N2" and _is_whole(tags, place) and',
        f"{RIS}test_a_second_time_replaces_what_the_first_time_added",
        "a record would carry two decisions",
    ),
    guard(
        "a person's own keyword is no keyword of ours",
        "records/writers/ris.py",
        "            added.remove(value)\n",
        "",
        f"{RIS}test_a_persons_own_keyword_stays_also_where_it_is_one_of_ours_word_for_word",
        "keywords that a person gave would be taken away",
    ),
    guard(
        "a note that a person went on with stays",
        "records/writers/ris.py",
        '    return place + 1 == len(tags) or tags[place + 1][0] != ""\n',
        "    return place < len(tags)\n",
        f"{RIS}test_a_note_of_ours_that_a_person_went_on_with_stays",
        "a person's words would be half removed",
    ),
    guard(
        "what is added is on one line",
        "records/writers/marks.py",
        '    return _BREAKING.sub(" ", text).strip()\n',
        "    return text.strip()\n",
        f"{RIS}test_no_answer_can_break_a_record[\\n]",
        "a quote could end a record and begin another",
    ),
    guard(
        "a quote cannot pass for our list of keywords",
        "records/writers/marks.py",
        'NOTE)}.*\\[keywords: ([^\\[\\]]*)',
        'NOTE)}.*?\\[keywords: (.*)',
        f"{RIS}test_a_quote_cannot_pass_for_the_list_of_our_keywords",
        "what a model wrote could take a person's keywords away",
    ),
    guard(
        "our field of an earlier run is replaced in BibTeX",
        "records/writers/bibtex.py",
        '        if match is None or (match[1].lower() == "overnight" and',
        '        if match is None or (match[1].lower() == "elsewhere" and',
        f"{BIBTEX}test_a_second_time_replaces_what_the_first_time_added",
        "an entry would carry two decisions",
    ),
    guard(
        "braces close in what a model wrote",
        "records/writers/bibtex.py",
        'return text.replace("{", "(").replace("}", ")").replace("\\\\", "/")',
        "return text",
        f"{BIBTEX}test_no_text_can_break_a_made_entry[{{open]",
        "one quote could swallow every entry behind it",
    ),
    guard(
        "a keyword says that no model answered",
        "run/marks.py",
        "        if self._by:\n            keywords.append(STAND_IN)\n",
        "",
        f"{MARKS}test_what_no_model_answered_says_so_in_keyword_and_note[ask]",
        "made-up decisions would pass for a model's in a reference manager",
    ),
    guard(
        "the note says that no model answered",
        "run/marks.py",
        "joined([self._by, *said,",
        'joined(["", *said,',
        f"{MARKS}test_what_no_model_answered_says_so_in_keyword_and_note[screen]",
        "made-up decisions would pass for a model's in a reference manager",
    ),
    guard(
        "the workbook says that no model answered",
        "run/sheets.py",
        '    if is_simulated(world.realm):\n        yield ["LOCAL STAND-IN",',
        '    if not world.realm:\n        yield ["LOCAL STAND-IN",',
        f"{MARKS}test_the_read_me_has_words_for_every_column_that_can_occur[ask-stand-in]",
        "a workbook with made-up answers would be passed on as a model's",
    ),
    guard(
        "a duplicate is in no decision's file",
        "run/marks.py",
        '        if row[_OUTCOME : _PROBLEM + 1] == ["not_sent", "duplicate"]:\n            return ""\n',
        "",
        f"{MARKS}test_a_duplicate_is_marked_and_belongs_to_no_decision",
        "one publication would be counted twice",
    ),
)  # fmt: skip
