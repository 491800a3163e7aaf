"""The guards of a screen: what may be excluded, what is contested, who looks, what costs nothing."""
# ruff: noqa: E501 - the texts that are replaced are as long as they are

from tests.mutations.guard import guard

TABLES = "tests/unit/test_decision_tables.py::"
LAWS = "tests/property/test_screening_laws.py::"
QUOTES = "tests/unit/test_quotes.py::"
CELLS = "tests/unit/test_screening.py::"

SCREENING = tuple(
    guard(f"a screen: {name}", file, old, new, test, why)
    for name, file, old, new, test, why in (
        (
            "a lost quote counts for nothing", "answers/decisions.py",
            "return Verdict.UNCLEAR if self.lost else self.verdict", "return self.verdict",
            f"{CELLS}TestCells::test_an_invented_quote_asks_a_person", "a verdict on invented words would be shown as one",
        ),
        (
            "silence excludes by no exclusion", "answers/decisions.py",
            'if silent == against == "met":', 'if silent == against == "not met":',
            "tests/unit/test_decisions.py::test_what_each_cell_counts_as[exclude-not_stated-met-exact]", "a record would be lost on words that nobody wrote",
        ),
        (
            "a majority is more than half", "answers/screened.py", "2 * n > asked", "2 * n >= asked",
            f"{TABLES}test_the_rules_in_words_hold_for_any_number_of_samples[4]", "two of four would exclude",
        ),
        (
            "a sample without an answer is a contest", "answers/screened.py",
            "    if len(answered) < len(samples):\n", "    if len(answered) > len(samples):\n",
            f"{TABLES}test_a_record_is_contested_as_the_page_says[include, include, no answer + no_answer]", "a record would be settled by the samples that happened to come back",
        ),
        (
            "a quote that matters and is lost is a contest", "answers/screened.py",
            "if any(sample.rests_on_lost_quotes for sample in answered)", "if all(not sample for sample in answered)",
            f"{TABLES}test_a_record_is_contested_as_the_page_says[unclear for a lost quote + quotes]", "nobody would be asked about what rests on invented words",
        ),
        (
            "an adjudicator against all samples decides nothing", "answers/screened.py",
            'adjudicated.decision.decision not in (*words, "unclear")', 'adjudicated.decision.decision not in (*words, "unclear", "exclude")',
            f"{TABLES}test_the_adjudicator_decides_as_the_page_says[unanimous-exclude]", "one answer would exclude against all others",
        ),
        (
            "samples that differ bring a person in", "answers/screened.py",
            "differ = len(words) > 1 or len(answered) < asked", "differ = len(words) > 2",
            f"{TABLES}test_a_person_looks_where_the_page_says[samples decide differently, and no adjudicator decided]", "two of three would exclude and nobody would know",
        ),
        (
            "samples are compared before unclear counts as include", "answers/screened.py",
            "Counter(sample.decision.decision for sample in answered)", "Counter(unclear_as_asked(screen, sample.decision).decision for sample in answered)",
            f"{TABLES}test_agreement_and_votes_are_of_what_samples_said_before_unclear_counts_as_include", "an include and an unclear would pass for 2/2",
        ),
        (
            "contested goes by the silence begun with", "planning/screening.py",
            "{**silence_of(study.task), **begun_with}", "{**begun_with, **silence_of(study.task)}",
            f"{LAWS}test_no_silence_of_today_adjudicates_what_the_silence_begun_with_did_not[unclear]", "changing if_silent would be paid for",
        ),
        (
            "a later sample keeps the silence begun with", "planning/screening.py",
            "tuple(self._silent_alike(recipe) for recipe in samples)", "samples",
            f"{LAWS}test_a_sample_that_is_asked_later_has_the_silence_that_the_study_began_with", "the ledger would forget what silence the study began with",
        ),
        (
            "an edit that the model does not see keeps the silence begun with", "planning/pinned.py",
            "replace(built, silence=kept.silence) if kept.digest == built.digest else built", "built",
            f"{LAWS}test_an_edit_that_the_model_does_not_see_keeps_the_silence_that_the_study_began_with", "renaming a column would be paid for",
        ),
        (
            "a single word is quoted whole", "answers/quotes.py",
            "if first < 0 and not _is_one_word(wanted):", "if first < 0:",
            f"{QUOTES}test_part_of_a_word_or_of_a_number_is_not_there[None]", "`None`, found in `nonetheless`, would exclude",
        ),
        (
            "no quote cuts through a number", "answers/quotes.py",
            "if not (_in_number(text, start) or _in_number(text, end)):", "if True:",
            f"{QUOTES}test_part_of_a_word_or_of_a_number_is_not_there[5 nurses]", "15 nurses would pass for 5",
        ),
        (
            "no lost quote is an argument", "planning/arguments.py",
            'holds = result.quote_found in ("exact", "near") and', "holds = result.quote and",
            f"{LAWS}test_an_unclear_verdict_argues_with_no_words_that_are_not_there", "invented words would be argued with",
        ),
        (
            "adaptive asks the rest only where two are contested", "planning/screening.py",
            "wanted if contests(first) else FIRST_ADAPTIVE", "wanted",
            f"{CELLS}TestSeveral::test_adaptive_is_content_with_two_that_agree", "samples nobody asked for would be paid for",
        ),
        (
            "near is a tenth, by the edit distance", "answers/quotes.py",
            "if distance <= allowed else None", "if distance <= 2 * allowed else None",
            f"{QUOTES}test_what_differs_least_differs_in_one_of_ten_at_most[an invented begin]", "a quote with an invented begin would be found",
        ),
        (
            "a quote is looked for to the text's end", "answers/quotes.py",
            "reach = allowed + max(0, len(quote) - (last - first))", "reach = allowed",
            "tests/property/test_quotes_strangers.py::test_a_passage_with_slips_that_is_the_whole_text_is_found[aaaaaaaaaaaaaaaaaaaa-aaxxaaaaaaaaaaaaaaaaa]", "a verdict would count for nothing whose quote is there",
        ),
        (
            "a tie of samples is unclear", "answers/screened.py",
            "verdict = most[0] if len(most) == 1 else Verdict.UNCLEAR", "verdict = most[0]",
            f"{TABLES}test_a_criterion_has_the_verdict_of_most_and_of_as_many_none", "the sample that came first would win",
        ),
        (
            "a lost negation is no slip", "answers/quotes.py",
            "    if _facts(words) != _facts(passage):\n        return False\n", "",
            f"{QUOTES}test_a_change_of_sense_is_not_near[no negation]", "another finding would pass for the record's words",
        ),
        (
            "a reviewer's words cannot end what holds them", "planning/arguments.py",
            '_OURS.sub("‹", " ".join(text.split()))', '" ".join(text.split())',
            "tests/property/test_frame_laws.py::test_the_frame_is_the_same_for_every_text_and_the_record_comes_last", "a record would speak to the adjudicator as if it were us",
        ),
        (
            "a record that speaks to the model is looked at", "planning/screening.py",
            """notes = (f'speaks to the model: "{said}"',) if said else ()""", "notes = ()",
            "tests/unit/test_injections.py::test_a_person_looks_with_one_sample_and_behind_an_adjudicator", "nobody would see that a record asks to be included",
        ),
        (
            "an own prompt has the warning behind it too", "study/screen_recipes.py",
            'system = "\\n\\n".join([*words, wording("untrusted").text])', 'system = "\\n\\n".join(words)',
            "tests/unit/test_study_recipes.py::TestScreen::test_the_studys_own_prompt_stands_in_place_of_the_packages_and_before_the_warning", "a record would be obeyed",
        ),
    )
)  # fmt: skip
