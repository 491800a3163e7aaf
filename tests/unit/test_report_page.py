"""The page as text: every number and kind is on it, nothing from outside is in it, hostile text stays text."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from overnight.core.outcome import Identity, NotSent, ProblemKind, StrayKind
from overnight.core.realm import GOOGLE, upstream
from overnight.core.usage import Usage
from overnight.errors import AccountingError
from overnight.report import ReportData, render_report, words
from overnight.report.data import Bill, Choices, Counts, GivenUp, InputFile, Lines, Stage, Texts
from overnight.report.records import Passage, Quote, SampleRecord, Verdict, Voice
from overnight.report.render import MOST_GIVEN_UP
from overnight.report.screening import Compared, Concern, Decisions, Listed, Screening, Split
from tests.support.report_example import asking_example, screening_example

HOSTILE = (
    '"><script>alert(1)</script><img src=x onerror=alert(1)>\' style="x" {{ 7*7 }} <!-- --> ]]> </title></style>'
    "\x00\x07\x1b[31m\x85\ud800\ufffe \u202eabc\u202c مرحبا " + "W" * 3_000
)
VOID = {"meta", "rect", "br"}
BLOCKS = {"dt", "dd", "th", "td", "p", "li", "h1", "h2", "h3", "h4"}


class Page(HTMLParser):
    """Tags with their attributes, the text seen, and whether every element is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.unbalanced, self._open = "", 0, list[str]()
        self.feed(html)
        self.close()
        self.unbalanced += len(self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
        elif tag not in VOID:
            self.unbalanced += 1
        if tag in BLOCKS:
            self.text += " "

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] != "style":
            self.text += data

    def words(self) -> str:
        return " ".join(self.text.split())


def hostile_screening(record: SampleRecord) -> Screening:
    """Every text of it is hostile."""
    verdict = Verdict(HOSTILE, HOSTILE, HOSTILE, True, HOSTILE, HOSTILE)
    voice = Voice(HOSTILE, HOSTILE, HOSTILE, HOSTILE, (verdict,), HOSTILE, HOSTILE)
    contested = replace(
        record,
        number=7,
        doubts=(HOSTILE,),
        agreement=HOSTILE,
        voices=(voice, Voice(HOSTILE, missing=HOSTILE)),
        differ=(HOSTILE,),
    )
    splits = (Split(7, HOSTILE, HOSTILE, ((HOSTILE, HOSTILE),)),)
    return Screening((Listed(Concern.UNSETTLED, 1, (contested,)),), 0, Compared(1, 0, 1, 0, HOSTILE), splits)


def hostile_example() -> ReportData:
    stage = Stage(HOSTILE, HOSTILE, HOSTILE, HOSTILE, "r", asked=HOSTILE, texts=((HOSTILE, HOSTILE),))
    record = SampleRecord(
        HOSTILE,
        "problem",
        HOSTILE,
        (Passage(HOSTILE, HOSTILE, (Quote(3, 40, HOSTILE),)),),
        kind="blocked",
        detail=HOSTILE,
        decision=HOSTILE,
        why=HOSTILE,
        fields=((HOSTILE, HOSTILE),),
        verdicts=(Verdict(HOSTILE, HOSTILE, HOSTILE, False, HOSTILE, HOSTILE),),
        served=HOSTILE,
    )
    base = screening_example(upstream(HOSTILE, HOSTILE))
    jobs = tuple(replace(job, name=HOSTILE, error=HOSTILE, state="JOB_STATE_FAILED") for job in base.jobs)
    return replace(
        base,
        study=HOSTILE,
        question=HOSTILE,
        made=HOSTILE,
        decisions=Decisions({"include": 1, HOSTILE: 2}, ((HOSTILE, 1),), ((HOSTILE, 1),)),
        criteria=tuple(
            replace(each, id=HOSTILE, ask=HOSTILE, if_silent=HOSTILE, reason=HOSTILE) for each in base.criteria
        ),
        fields=(Texts(HOSTILE, 1, 0, (HOSTILE,), HOSTILE), *asking_example().fields),
        given_up=(GivenUp(HOSTILE, ProblemKind.BLOCKED, HOSTILE, HOSTILE),),
        raw=HOSTILE,
        samples=(record,),
        screening=hostile_screening(record),
        jobs=jobs,
        bill=replace(
            base.bill, notes=(HOSTILE,), by_model=(replace(base.bill.by_model[0], served=HOSTILE, price=HOSTILE),)
        ),
        method=replace(
            base.method,
            model=HOSTILE,
            served=((HOSTILE, 1),),
            thinking=HOSTILE,
            stages=(stage,),
            files=(InputFile(HOSTILE, 1, HOSTILE),),
            software=HOSTILE,
            ledger_uid=HOSTILE,
            location=HOSTILE,
            settings=((HOSTILE, HOSTILE),),
        ),
    )


EVERY_EXAMPLE = [screening_example(), screening_example(GOOGLE), asking_example(), hostile_example()]


@pytest.mark.parametrize("data", EVERY_EXAMPLE, ids=["stand-in", "google", "ask", "hostile"])
def test_one_file_that_loads_nothing_and_runs_nothing(data: ReportData) -> None:
    html = render_report(data)
    html.encode()  # no lone surrogate is left
    page = Page(html)
    tags = {tag for tag, _ in page.tags}
    assert page.unbalanced == 0
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "audio", "video", "use"}
    for tag, attributes in page.tags:
        assert not [
            name for name in attributes if name.startswith("on") or name in {"src", "style", "srcset", "action"}
        ]
        if tag == "a":
            assert (attributes["href"] or "").startswith("#")
    assert not re.search("url\\(|@import", html.split("<style>")[1].split("</style>")[0])
    policy = next(attributes["content"] or "" for _, attributes in page.tags if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_the_same_data_give_the_same_page() -> None:
    assert render_report(screening_example()) == render_report(screening_example())


def test_anchors_lead_somewhere() -> None:
    page = Page(render_report(screening_example()))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.tags:
        if tag == "a":
            assert (attributes["href"] or "")[1:] in ids
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids


def test_hostile_text_is_shown_as_text_with_its_control_characters_visible() -> None:
    html = render_report(hostile_example())
    page = Page(html)
    assert "<script>alert(1)</script>" in page.text  # the words, as words
    assert "␀␇␛[31m" in page.text
    assert "{{ 7*7 }}" in page.text
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", html)
    assert html.rstrip().splitlines()[0].count("<!--") == 1


def test_the_stand_in_is_named_first_and_last() -> None:
    html = render_report(screening_example())
    lines = html.strip().splitlines()
    assert "LOCAL STAND-IN" in lines[0]
    assert "LOCAL STAND-IN" in lines[-1]
    page = Page(html)
    body = page.words().split("· overnight", 1)[1].strip()  # after the title
    assert body.startswith("LOCAL STAND-IN")
    assert body.endswith("Costs are simulated.")
    assert "simulated" in page.words()


def test_an_upstream_is_named_and_google_has_no_banner() -> None:
    named = Page(render_report(screening_example(upstream("http://127.0.0.1:9", "small-model")))).words()
    assert "LOCAL CLOUD, NOT GOOGLE" in named
    assert "http://127.0.0.1:9#small-model" in named
    ours = render_report(screening_example(GOOGLE))
    assert "banner" not in ours.split("</style>")[1]
    assert "simulated" not in ours.split("</style>")[1].replace("@local-stand-in", "")


def test_the_sum_is_visible() -> None:
    said = Page(render_report(screening_example())).words()
    assert "1,100 records identified = 1,046 screened + 12 problems + 40 not sent + 2 open" in said
    assert "1,063 lines read = 1,058 accepted + 5 strays" in said


@pytest.mark.parametrize("records", [1, 1_000_000])
def test_one_record_and_a_million(records: int) -> None:
    data = replace(asking_example(), counts=Counts(records, records - 1, 1))
    said = Page(render_report(data)).words()
    assert f"{records:,} record{'s' if records > 1 else ''} = {records - 1:,} answers" in said
    assert ("The first 1 of 1,000,000 records" in said) == (records > 1)


def test_sums_that_do_not_add_up_make_no_page() -> None:
    with pytest.raises(AccountingError, match="1,100 records, but 1,099 answers"):
        replace(screening_example(), counts=Counts(1_100, 1_099))
    with pytest.raises(AccountingError, match="10 lines, but 8 accepted"):
        replace(screening_example(), lines=Lines(10, 8, {}, {StrayKind.FOREIGN: 1}))
    with pytest.raises(AccountingError, match="with an identity"):
        replace(screening_example(), lines=Lines(1, 1, {Identity.KEY: 2}))


def test_every_kind_has_its_words() -> None:
    assert set(words.PROBLEMS) == set(ProblemKind)
    assert set(words.NOT_SENT) == set(NotSent)
    assert set(words.IDENTITIES) == set(Identity)
    assert set(words.STRAYS) == set(StrayKind)
    assert set(words.CONCERNS) == set(Concern)
    every = replace(
        screening_example(),
        counts=Counts(14, 0, 0, dict.fromkeys(ProblemKind, 1), dict.fromkeys(NotSent, 1)),
        lines=Lines(8, 4, dict.fromkeys(Identity, 1), dict.fromkeys(StrayKind, 1)),
    )
    said = Page(render_report(every)).words()
    meanings = [*words.PROBLEMS.values(), *(meaning for _, meaning in words.CONCERNS.values())]
    meanings += [meaning for table in (words.NOT_SENT, words.IDENTITIES, words.STRAYS) for _, meaning in table.values()]
    for meaning in meanings:
        assert meaning in said


def test_unknown_is_said_and_never_zero() -> None:
    data = replace(screening_example(GOOGLE), bill=Bill(lines_without_usage=2))
    cost = Page(render_report(data)).words().split("Tokens and cost")[1].split("Jobs")[0]
    assert cost.strip().startswith("cost not known")
    assert "input not known of it cached not known thinking not known answer not known" in cost
    assert "For 2 lines the service gave no token counts" in cost
    known = replace(data, bill=Bill(usage=Usage(10, None, None, 4)))
    assert "input 10 of it cached not known thinking not known answer 4" in Page(render_report(known)).words()


def test_overlapping_quotes_are_nested_each_in_its_colour_and_named_where_it_ends() -> None:
    """Of night_shift (colour 1) and planned_nap (2); two samples' quotes for the second overlap and are one."""
    html = render_report(screening_example())
    by = "sample 1, sample 3"
    assert (
        '<mark class="q1 l0" title="quoted for night_shift: sample 1, sample 2">Forty night porters were </mark>'
        '<mark class="q1 l1" title="quoted for night_shift: sample 1, sample 2">'
        f'<mark class="q2 l0" title="quoted for planned_nap: {by}">given a bunk at three</mark></mark>'
        '<sup class="q1">night_shift</sup>'
        f'<mark class="q2 l0" title="quoted for planned_nap: {by}">, a planned nap of half an hour on two nights of the'
        ' week</mark><sup class="q2">planned_nap</sup>. Lapses fell.'
    ) in html


def test_a_contested_record_says_who_said_what_and_why_a_person_has_to_look() -> None:
    said = Page(render_report(screening_example())).words()
    assert "133 records for a person The most doubtful first. 6 are here; all of them are in the results" in said
    record = said.split("A person has to look:")[1].split("served by")[0]
    assert "samples differ: include 1, exclude 1, no answer 1 quote not found: planned_nap" in record
    assert "1 of 3 samples decide alike. Contested: samples decide differently; a sample has no answer." in record
    assert "sample 1 reviewer B sample 2 reviewer A argued for sample 3 adjudicator" in record
    assert "include says itself: exclude" in record
    assert "no answer: truncated" in record
    assert "a siesta not found in the text A siesta is no planned nap." in record
    assert "What the adjudicator says the others got wrong: Reviewer A quotes words that are not there." in record


def test_too_many_contested_records_are_said_and_few_are_not() -> None:
    data = screening_example()
    assert data.screening is not None
    assert data.screening.compared is not None
    many = replace(data.screening.compared, too_many="346 of 1,046 records are contested: why.")
    said = Page(render_report(replace(data, screening=replace(data.screening, compared=many)))).words()
    assert "346 of 1,046 records are contested: why." in said
    assert "are contested: why." not in Page(render_report(data)).words()
    one_sample = replace(data, screening=replace(data.screening, compared=None, splits=()))
    said = Page(render_report(one_sample)).words()
    assert "Samples compared" not in said
    assert "samples differ in" not in said
    assert "Where the wording is weak" not in said


def test_the_most_split_records_lead_to_their_place_where_they_are_on_the_page() -> None:
    page = Page(render_report(screening_example()))
    ids = {attributes.get("id") for _, attributes in page.tags}
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a" and "#r-" in (attributes["href"] or "")]
    assert links == ["#r-412"]
    assert "r-412" in ids
    assert "Settled after all" in page.words(), "listed, without a link"


def test_samples_that_ask_alike_are_said_to_and_prompts_are_named_with_their_digest() -> None:
    said = Page(render_report(screening_example())).words()
    assert "Stage screen, samples 1, 2, 3" in said
    assert "same prompt, repeated" in said
    assert "Made of screen f9026f6f5854, untrusted 61d5bbf71708" in said


def test_the_whole_prompt_is_there_however_long() -> None:
    long = "criterion " * 5_000 + "the end"
    data = screening_example()
    stage = replace(data.method.stages[0], prompt=long)
    assert long in render_report(replace(data, method=replace(data.method, stages=(stage,))))


def test_no_more_than_25_records_and_no_more_than_6000_characters_of_one() -> None:
    data = asking_example()
    huge = replace(data.samples[0], passages=(Passage("abstract", "a" * 2_000_000, (Quote(5, 1_999_999, "x"),)),))
    html = render_report(replace(data, samples=(huge,) * 40))
    assert html.count('<details class="record"') == 25
    assert "(1,994,000 more characters)" in html
    assert len(html) < 400_000


def test_shares_of_a_list_say_what_they_are_shares_of() -> None:
    """Ten answers: six name at least one topic, four none. Five of the six name naps."""
    several = Choices("topics", (("naps", 5), ("light", 3)), filled=6, empty=4, several=True)
    text = Page(render_report(replace(asking_example(), fields=(several,)))).text
    assert "Shares are of the 6 answers with at least one; an answer can hold several. 4 hold none." in text
    assert "83 %" in text
    single = replace(several, several=False)
    assert (
        "Shares are of the 6 answers with a value; empty in 4."
        in Page(render_report(replace(asking_example(), fields=(single,)))).text
    )


def test_a_record_without_a_title_shows_its_id_once_in_the_heading() -> None:
    data = asking_example()
    sample = replace(data.samples[0], record_id="row-4711", title="")

    def headings(page: str) -> str:
        return page.split("<summary>")[1].split("</summary>", maxsplit=1)[0]

    assert headings(render_report(replace(data, samples=(sample,)))).count("row-4711") == 1
    titled = headings(render_report(replace(data, samples=(replace(sample, title="Naps"),))))
    assert (titled.count("row-4711"), titled.count("Naps")) == (1, 1)


def test_times_of_jobs_are_shown_to_the_second_and_what_is_no_time_as_it_is() -> None:
    data = screening_example(GOOGLE)
    job = replace(data.jobs[0], created="2026-11-22T13:17:51.123456Z", started="2026-11-22T13:18:00Z", ended="tomorrow")
    html = render_report(replace(data, jobs=(job,)))
    assert "2026-11-22 13:17:51 UTC<" in html
    assert "2026-11-22 13:18:00 UTC<" in html
    assert "tomorrow<" in html
    assert "13:17:51." not in html


def test_given_up_records_are_listed_up_to_a_bound_with_reason_and_raw_line() -> None:
    base = screening_example()
    n = MOST_GIVEN_UP + 50
    many = tuple(GivenUp(f"fict-{i}", ProblemKind.BLOCKED, f"reason <{i}>", f"a/b.gz:{i}") for i in range(n))
    silent = GivenUp("fict-silent", ProblemKind.MISSING, "")
    counts = Counts(10_000, 0, 10_000 - n - 701, {ProblemKind.BLOCKED: n + 700, ProblemKind.MISSING: 1})
    html = render_report(replace(base, counts=counts, given_up=(*many, silent), raw=".overnight/raw"))
    words = Page(html).words()
    assert f"fict-{MOST_GIVEN_UP - 1} reason <{MOST_GIVEN_UP - 1}> a/b.gz:{MOST_GIVEN_UP - 1}" in words
    assert f"reason <{MOST_GIVEN_UP}>" not in words
    assert f"The first {MOST_GIVEN_UP} of {n + 700} records" in words
    assert "750 more are in the results" in words
    assert "fict-silent – no line came" in words
    assert "overnight retry --kind missing" in words
    assert ".overnight/raw/" in words
    assert (html.count("<details open><summary>The record<"), html.count("<details><summary>The first 200 ")) == (1, 1)
