"""study.yaml → Study, or everything that is wrong with it at once, with line, key path and what to do."""

import textwrap
from pathlib import Path

import pytest

from overnight.core import realm
from overnight.core.usage import Usd
from overnight.errors import Finding, StudyError
from overnight.study.load import load_study
from overnight.study.models import AskSpec, DeepThinkSpec, ScreenSpec, Study
from overnight.study.not_yet import KEYS_ELSEWHERE, KEYS_NOT_YET

SCREEN = """\
study: nap-trials
records:
  files: [pubmed.csv, {path: sub/scopus.csv, source: Scopus}]
  id: auto
  no_abstract: title_only
screen:
  question: Do planned naps help people on night shifts stay alert?
  include:
    - {id: night_shift, ask: The people studied work at night.}
    - {id: planned_nap, ask: A planned nap is compared with something else., if_silent: not_met}
  exclude:
    - {id: no_own_data, ask: "Is a review, protocol, comment or correction.", reason: Wrong publication type}
model: {name: gemini-3.8-flash, thinking: high}
budget: {limit_usd: 20.10, when_over: refuse}
attempts: 5
cloud: {project: my-project, location: europe-west4, bucket: gs://my-bucket/team/overnight/}
"""

ASK = """\
study: reviews-2026
records: {files: [pubmed.csv], id: 007}
ask:
  system: You read product reviews.
  prompt: |
    Which complaint does this review make, if any?
    <review>{Article Title}
    {text}</review> {{as JSON}}
  answer:
    complaint: {type: string, nullable: true, description: "in the reviewer's words", max_length: 400}
    severity: {type: string, enum: [none, minor, yes]}
    stars: {type: integer, minimum: 1, maximum: 5}
    share: {type: number, maximum: 0.5}
    parts:
      type: array
      max_items: 3
      items: {type: object, properties: {name: {type: string}, broken: {type: boolean}}}
model: {name: gemini-3.5-flash-lite, thinking: 512}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pubmed.csv").write_text("title,abstract\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "scopus.csv").write_text("title,abstract\n")
    return tmp_path


def load(folder: Path, text: str, name: str = "study.yaml") -> Study:
    (folder / name).write_text(text, encoding="utf-8")
    return load_study(folder / name)


def findings(folder: Path, text: str) -> list[Finding]:
    with pytest.raises(StudyError) as caught:
        load(folder, text)
    return list(caught.value.findings)


def the_finding(folder: Path, text: str) -> Finding:
    found = findings(folder, text)
    assert len(found) == 1, [str(finding) for finding in found]
    return found[0]


class TestAStudyThatIsRight:
    def test_screen(self, folder: Path) -> None:
        study = load(folder, SCREEN)
        assert (study.name, study.task_name, study.realm, study.attempts) == ("nap-trials", "screen", realm.GOOGLE, 5)
        assert isinstance(study.task, ScreenSpec)
        assert [(c.id, c.kind, c.if_silent) for c in study.task.criteria] == [
            ("night_shift", "include", "unclear"),
            ("planned_nap", "include", "not_met"),
            ("no_own_data", "exclude", "not_met"),
        ]
        assert study.task.exclude[0].reason == "Wrong publication type"
        assert study.task.unclear == "person"
        assert [(file.path, file.source) for file in study.records.files] == [
            (folder / "pubmed.csv", ""),
            (folder / "sub" / "scopus.csv", "Scopus"),
        ]
        assert study.records.text == study.text_columns == ("title", "abstract"), "a screen's default"
        assert study.records.no_abstract == "title_only"
        assert study.budget is not None
        assert study.budget.limit_usd == Usd("20.10"), "exact, as written"
        assert study.cloud is not None
        assert (study.cloud.bucket, study.cloud.prefix) == ("my-bucket", "team/overnight")
        assert study.warnings == ()

    def test_ask(self, folder: Path) -> None:
        study = load(folder, ASK)
        assert isinstance(study.task, AskSpec)
        assert study.task.prompt.endswith("{text}</review> {{as JSON}}\n"), "the user's words exactly"
        assert study.text_columns == ("Article Title", "text")
        assert study.task.answer["severity"].enum == ("none", "minor", "yes"), "bare words stay words"
        assert study.task.answer["complaint"].nullable is True
        assert (study.task.answer["stars"].minimum, study.task.answer["share"].maximum) == (1, 0.5)
        assert study.records.id == "007"
        assert study.model.thinking == 512
        assert (study.realm, study.budget, study.attempts) == (realm.STAND_IN, None, 3)

    def test_a_folder_stands_for_its_study_yaml(self, folder: Path) -> None:
        study = load(folder, SCREEN)
        assert load_study(folder) == study
        assert (study.path, study.folder, study.home) == (folder / "study.yaml", folder, folder)

    def test_two_study_files_in_a_folder_have_a_home_each(self, folder: Path) -> None:
        assert load(folder, ASK, "reviews.yaml").home == folder / "reviews"

    def test_a_relative_path_is_read_from_the_study_file_not_from_here(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        load(folder, SCREEN)
        monkeypatch.chdir(folder / "sub")
        assert load_study(Path("../study.yaml")).records.files[0].path.is_file()

    @pytest.mark.parametrize("thinking", ["off", "minimal", "low", "medium", "high", "max", "0", "-1", "32768"])
    def test_thinking_is_a_level_or_a_budget(self, folder: Path, thinking: str) -> None:
        model = load(folder, SCREEN.replace("thinking: high", f"thinking: {thinking}")).model
        assert str(model.thinking) == thinking

    def test_a_study_is_a_value(self, folder: Path) -> None:
        study = load(folder, SCREEN)
        with pytest.raises(AttributeError):
            study.name = "other"  # type: ignore[misc]
        with pytest.raises(ValueError, match="frozen"):
            study.model.name = "other"  # type: ignore[misc]


class TestAllFindingsAtOnce:
    TEXT = """\
        study: Nap Trials
        records:
          files: [pubmd.csv, sub, pubmed.csv, ./pubmed.csv]
          idd: x
        screen:
          question: Do naps help?
          include:
            - {id: night_shift, ask: The people studied work at night, and rest.}
            - {id: Planned, aks: x}
          exclude:
            - {id: night_shift, ask: Is a review., if_silent: mett}
          unclear: persn
        model: {name: publishers/google/models/gemini-3.8-flash, thinking: hgh}
        deep_think: {samples: 12, adjudicat: never, framings: [pro]}
        budget: {limit_usd: 20 USD, when_over: fitt}
        limit_usd: 3
        attempts: 30
        cloud: {project: My Project, location: mars, bucket: my-bucket/x}
        """
    EXPECTED = (
        (1, "study", '"Nap Trials" is no name for a study', "Lower-case"),
        (3, "records.files[0]", "there is no file pubmd.csv", "Did you mean pubmed.csv?"),
        (3, "records.files[1]", "sub is a folder", "Name the files in it."),
        (3, "records.files[3]", "./pubmed.csv is here twice (first as records.files[2])", "Keep one"),
        (4, "records.idd", "unknown key `idd`", "Did you mean `id`?"),
        (8, "screen.include[0].and rest.", "looks like the rest of a text", "put a text with a comma in quotes"),
        (9, "screen.include[1].id", '"Planned" is no id', "night_shift"),
        (9, "screen.include[1]", "`ask` is missing", ""),
        (9, "screen.include[1].aks", "unknown key `aks`", "Did you mean `ask`?"),
        (11, "screen.exclude[0].id", "the id `night_shift` is used twice", "id of its own"),
        (11, "screen.exclude[0].if_silent", '"mett" is none of met, not_met, unclear', "Did you mean met?"),
        (12, "screen.unclear", '"persn" is none of person, include', "Did you mean person?"),
        (13, "model.name", "is no model's name", "gemini-3.8-flash"),
        (13, "model.thinking", '"hgh" is none of off, minimal,', "Did you mean high?"),
        (14, "deep_think.samples", "12 is out of range: at most 9", ""),
        (14, "deep_think.adjudicat", "unknown key `adjudicat`", "Did you mean `adjudicate`?"),
        (14, "deep_think.framings[0]", '"pro" is none of neutral, for, against', ""),
        (15, "budget.limit_usd", '"20 USD" is no amount', "digits only"),
        (15, "budget.when_over", '"fitt" is none of refuse, fit', "Did you mean fit?"),
        (16, "limit_usd", "unknown key `limit_usd`", "belongs under `budget`"),
        (17, "attempts", "30 is out of range: at most 10", ""),
        (18, "cloud.project", '"My Project" is no project id', "gcloud projects list"),
        (18, "cloud.location", '"mars" is no location', "global"),
        (18, "cloud.bucket", '"my-bucket/x" is no Cloud Storage address', "gs://my-bucket/x"),
    )

    def test_each_with_line_path_and_what_to_do(self, folder: Path) -> None:
        found = findings(folder, textwrap.dedent(self.TEXT))
        for line, path, what, hint in self.EXPECTED:
            match = [f for f in found if (f.line, f.path) == (line, path) and what in f.what and hint in f.hint]
            assert match, (line, path, what, [str(f) for f in found])
        assert len(found) == len(self.EXPECTED), [str(f) for f in found]
        assert all(f.file == str(folder / "study.yaml") for f in found)
        assert [f.line for f in found] == sorted(f.line for f in found)

    def test_the_error_shows_them_all(self, folder: Path) -> None:
        with pytest.raises(StudyError) as caught:
            load(folder, textwrap.dedent(self.TEXT))
        assert caught.value.exit_code == 3
        assert str(caught.value).count(f"{folder / 'study.yaml'}:") == len(self.EXPECTED)


@pytest.mark.parametrize("path", [*KEYS_NOT_YET, *KEYS_ELSEWHERE], ids=".".join)
def test_a_key_of_a_later_version_or_of_another_place_is_refused_as_such(folder: Path, path: tuple[str, ...]) -> None:
    if len(path) == 1:
        text = SCREEN + f"{path[0]}: {{a: b}}\n"
    else:
        text = SCREEN.replace("records:\n", f"records:\n  {path[1]}: x\n") if path[0] == "records" else SCREEN
        text = text.replace(f"{path[0]}: {{", f"{path[0]}: {{{path[1]}: x, ")
    finding = the_finding(folder, text)
    assert (finding.path, finding.hint) == (".".join(path), (KEYS_NOT_YET | KEYS_ELSEWHERE)[path])
    assert ("has another place" if path in KEYS_ELSEWHERE else "is not in this version") in finding.what
    assert finding.line > 1


def test_a_word_that_means_the_opposite_is_not_proposed(folder: Path) -> None:
    finding = the_finding(folder, SCREEN.replace("screen:\n", "screen:\n  unclear: exclude\n", 1))
    assert (finding.path, finding.what) == ("screen.unclear", '"exclude" is none of person, include')
    assert "Did you mean" not in finding.hint
    assert "Nothing is excluded without a ground." in finding.hint
    assert the_finding(folder, SCREEN.replace("screen:\n", "screen:\n  unclear: persn\n", 1)).hint == (
        "Did you mean person?"
    )


def test_a_seed_is_for_a_draw(folder: Path) -> None:
    fit = load(folder, SCREEN.replace("when_over: refuse", "when_over: fit, seed: 7")).budget
    assert fit is not None
    assert (fit.when_over, fit.seed) == ("fit", 7)
    finding = the_finding(folder, SCREEN.replace("when_over: refuse", "seed: 7"))
    assert (finding.path, finding.what) == ("budget", "`seed` is for when_over: fit")


def test_the_values_this_version_does_are_taken(folder: Path) -> None:
    assert load(folder, SCREEN.replace("  id: auto", "  id: auto\n  duplicates: keep")).records.duplicates == "keep"


@pytest.mark.parametrize(
    ("old", "new", "path", "what"),
    [
        ("study: nap-trials\n", "", "", "`study` is missing"),
        ("study: nap-trials", "study: x/y", "study", "no name"),
        ("study: nap-trials", "study:", "study", "`study` has no value"),
        ("study: nap-trials", "study: [a]", "study", "a list is not a text"),
        ("model: {name: gemini-3.8-flash, thinking: high}\n", "", "", "`model` is missing"),
        ("{name: gemini-3.8-flash, thinking: high}", "gemini", "model", '"gemini" is not a set of keys and values'),
        ("thinking: high", "thinking: [high]", "model.thinking", "a list is none of off"),
        ("thinking: high", "thinking: 1.5", "model.thinking", '"1.5" is none of off'),
        (
            "  files: [pubmed.csv, {path: sub/scopus.csv, source: Scopus}]",
            "  files: []",
            "records.files",
            "at least one",
        ),
        ("[pubmed.csv, {path: sub/scopus.csv, source: Scopus}]", "pubmed.csv", "records.files", "is not a list"),
        ("source: Scopus", "sorce: Scopus", "records.files[1].sorce", "unknown key"),
        ("pubmed.csv,", "bq://p.d.t,", "records.files[0]", "`bq://` addresses are not in this version"),
        ("  id: auto", "  id: auto\n  text: [title, title]", "records.text[1]", "here twice"),
        ("  id: auto", "  id: auto\n  text: [title, '{x}']", "records.text[1]", "no column's name"),
        ("  id: auto", "  id: auto\n  max_text_chars: many", "records.max_text_chars", "is no number"),
        ("  id: auto", '  id: ""', "records.id", "the text is empty"),
        ("attempts: 5", "attempts: 0", "attempts", "at least 1"),
        ("attempts: 5", "attempts: 5\ngive_up_after_days: 0", "give_up_after_days", "at least 1"),
        ("attempts: 5", "attempts: 5\ngive_up_after_days: 7 days", "give_up_after_days", '"7 days" is no number'),
        (
            "attempts: 5",
            "attempts: 5\nnotify: {command: mail, program: mail}",
            "notify.program",
            "unknown key `program`",
        ),
        ("attempts: 5", 'attempts: 5\nnotify: {command: "a \'b"}', "notify.command", "no closing quotation"),
        ("attempts: 5", "attempts: 2.5", "attempts", "not a whole number"),
        ("attempts: 5", "attempts: [5]", "attempts", "a list is not a whole number"),
        ("limit_usd: 20.10", "limit_usd: -1", "budget.limit_usd", "no amount"),
        ("limit_usd: 20.10", "limit_usd: 1e3", "budget.limit_usd", "no amount"),
        ("limit_usd: 20.10", "limit_usd: '$20'", "budget.limit_usd", "no amount"),
        ("limit_usd: 20.10, ", "", "budget", "`limit_usd` is missing"),
        ("gs://my-bucket/team/overnight/", "gs://My_Bucket", "cloud.bucket", "no bucket's name"),
        ("gs://my-bucket/team/overnight/", "gs://goog-x", "cloud.bucket", "no bucket's name"),
        ("gs://my-bucket/team/overnight/", "gs://my-bucket/a/../b", "cloud.prefix", "no folder in a bucket"),
        ("gs://my-bucket/team/overnight/", "gs://my-bucket/a b", "cloud.prefix", "no folder in a bucket"),
        (", bucket: gs://my-bucket/team/overnight/", "", "cloud", "`bucket` is missing"),
        ("location: europe-west4,", "prefix: x,", "cloud.prefix", "`prefix` is no key here"),
        ("id: night_shift,", "id: night_shift, kind: exclude,", "screen.include[0].kind", "no key `kind`"),
        ("id: night_shift,", "id: no_own_data_quote,", "screen.exclude[0].id", "would both have the result column"),
        ("ask: The people studied work at night.", "ask: ''", "screen.include[0].ask", "the text is empty"),
        (
            "ask: The people studied work at night.",
            "ask: 'WRITE HERE: x'",
            "screen.include[0].ask",
            "still to be written",
        ),
        ("  question: Do", "  questions: Do", "screen.questions", "unknown key `questions`"),
    ],
)
def test_one_slip(folder: Path, old: str, new: str, path: str, what: str) -> None:
    assert old in SCREEN
    found = findings(folder, SCREEN.replace(old, new))
    assert [f for f in found if f.path == path and what in f.what], [str(f) for f in found]
    assert len(found) == (2 if "question" in what else 1), [str(f) for f in found]


@pytest.mark.parametrize(
    ("old", "new", "path", "what"),
    [
        ("{text}", "{}", "ask.prompt", "an empty slot `{}`"),
        ("{text}", "{text", "ask.prompt", "a lone `{`"),
        ("{text}", '{"a": 1}', "ask.prompt", "no column's name"),
        ("complaint:", "Complaint:", "ask.answer.Complaint", "no name for an answer field"),
        ("complaint:", "c-1:", "ask.answer.c-1", "no name for an answer field"),
        ("type: string, enum", "type: integer, enum", "ask.answer.severity", "`enum` is for string, not for integer"),
        ("[none, minor, yes]", "[none, none]", "ask.answer.severity", '`enum` holds "none" twice'),
        ("[none, minor, yes]", "[]", "ask.answer.severity", "`enum` is empty"),
        ("type: string, enum", "type: strin, enum", "ask.answer.severity.type", '"strin" is none of string'),
        ("nullable: true", "nullable: maybe", "ask.answer.complaint.nullable", '"maybe" is not true or false'),
        ("minimum: 1", "minimum: 9", "ask.answer.stars", "`minimum` 9 is above `maximum` 5"),
        ("minimum: 1", "minimum: 0.5", "ask.answer.stars", "whole numbers"),
        ("minimum: 1", "minimum: nan", "ask.answer.stars.minimum", '"nan" is no number'),
        ("      items: {", "      item: {", "ask.answer.parts.item", "unknown key `item`"),
        ("broken: {type: boolean}", "Broken: {type: boolean}", "ask.answer.parts.items.properties.Broken", "no name"),
        ("  answer:\n", "  answer: {}\n  answers:\n", "ask.answer", "there has to be at least one"),
    ],
)
def test_one_slip_in_an_ask(folder: Path, old: str, new: str, path: str, what: str) -> None:
    assert old in ASK
    found = findings(folder, ASK.replace(old, new))
    assert [f for f in found if f.path == path and what in f.what], [str(f) for f in found]


def test_objects_without_properties_and_arrays_without_items_are_refused(folder: Path) -> None:
    text = ASK.replace(
        "stars: {type: integer, minimum: 1, maximum: 5}", "stars: {type: object}\n    list: {type: array}"
    )
    assert [f.what for f in findings(folder, text)] == ["an object needs `properties`", "an array needs `items`"]


def test_a_slip_in_a_block_prompt_names_its_own_line(folder: Path) -> None:
    assert the_finding(folder, ASK.replace("<review>{Article", "<review>{ {Article")).line == 7


def test_a_prompt_without_a_column_is_refused(folder: Path) -> None:
    finding = the_finding(folder, ASK.replace("{text}", "").replace("{Article Title}", ""))
    assert "every record would be asked the same" in finding.what


def test_the_depth_of_the_whole_line_is_limited(folder: Path) -> None:
    def nested(levels: int) -> str:
        field = "{type: string}"
        for _ in range(levels):
            field = f"{{type: object, properties: {{x: {field}}}}}"
        return ASK.replace("{type: integer, minimum: 1, maximum: 5}", field)

    assert load(folder, nested(4)).name == "reviews-2026"
    finding = the_finding(folder, nested(5))
    assert "a request would have 16 levels, at most 15" in finding.what
    assert finding.path == "ask.answer"


def test_a_study_asks_one_thing(folder: Path) -> None:
    both = SCREEN + ASK[ASK.index("ask:") : ASK.index("model:")]
    assert "has `ask` and `screen`" in the_finding(folder, both).what
    neither = SCREEN[: SCREEN.index("screen:")] + SCREEN[SCREEN.index("model:") :]
    assert "does not say what is asked" in the_finding(folder, neither).what


def test_an_inclusion_is_needed(folder: Path) -> None:
    i, j = SCREEN.index("  include:"), SCREEN.index("  exclude:")
    finding = the_finding(folder, SCREEN[:i] + SCREEN[j:])
    assert (finding.path, finding.what) == ("screen", "`include` is missing")


def test_where_there_is_no_study_the_error_says_what_to_do(tmp_path: Path) -> None:
    for path in (tmp_path / "nap.yaml", tmp_path):
        with pytest.raises(StudyError) as caught:
            load_study(path)
        (finding,) = caught.value.findings
        assert "no study file" in finding.what
        assert "overnight init" in finding.hint


def several(deep_think: str) -> str:
    return f"{SCREEN}deep_think: {deep_think}\n"


class TestDeepThink:
    def test_what_is_not_written_has_its_default(self, folder: Path) -> None:
        assert load(folder, SCREEN).deep_think is None
        assert load(folder, several("{samples: 3}")).deep_think == DeepThinkSpec(
            samples=3, adjudicate="contested", adaptive=False, framings=("neutral",)
        )

    def test_all_of_it(self, folder: Path) -> None:
        written = "{samples: 5, adjudicate: all, adaptive: true, framings: [neutral, for, against]}"
        study = load(folder, several(written).replace("screen:\n", "screen:\n  rule: any_include\n"))
        assert study.deep_think is not None
        assert isinstance(study.task, ScreenSpec)
        assert (study.deep_think.samples, study.deep_think.adjudicate, study.deep_think.adaptive) == (5, "all", True)
        assert [study.deep_think.framing(n) for n in range(1, 6)] == ["neutral", "for", "against", "neutral", "for"]
        assert study.task.rule == "any_include"
        assert study.warnings == ()

    @pytest.mark.parametrize(
        ("written", "path", "what", "hint"),
        [
            ("3", "deep_think", '"3" is not a set of keys', "deep_think: {samples: 3, adjudicate: contested}"),
            ("5", "deep_think", '"5" is not a set of keys', "deep_think: {samples: 5, adjudicate: contested}"),
            ("true", "deep_think", '"true" is not a set of keys', "deep_think: {samples: 3, adjudicate: contested}"),
            ("false", "deep_think", "not switched off here", "Take it out"),
            ("[3]", "deep_think", "a list is not a set of keys", "{key: value}"),
            ("", "deep_think", "has no value", "take it out"),
            ("{samples: 0}", "deep_think.samples", "0 is out of range: at least 1", ""),
            ("{samples: 10}", "deep_think.samples", "10 is out of range: at most 9", ""),
            ("{samples: 2.5}", "deep_think.samples", "is not a whole number", ""),
            ("{samples: three}", "deep_think.samples", '"three" is no number', "digits"),
            ("{sample: 3}", "deep_think.sample", "unknown key `sample`", "Did you mean `samples`?"),
            ("{samples: 3, rule: majority}", "deep_think.rule", "unknown key `rule`", "belongs under `screen`"),
            ("{adjudicate: contest}", "deep_think.adjudicate", "none of contested", "Did you mean contested?"),
            ("{adjudicate: yes}", "deep_think.adjudicate", '"yes" is none of', "contested, never or all"),
            ("{adaptive: maybe}", "deep_think.adaptive", "not true or false", ""),
            ("{samples: 2, adaptive: true}", "deep_think", "`adaptive` needs three samples or more", "asks two"),
            ("{framings: []}", "deep_think.framings", "at least one", ""),
            ("{framings: neutral}", "deep_think.framings", "is not a list", "in brackets"),
            ("{framings: [pro]}", "deep_think.framings[0]", '"pro" is none of neutral', ""),
            ("{samples: 1, framings: [for, against]}", "deep_think", "2 framings for 1 sample", "One a sample"),
        ],
    )
    def test_one_slip_is_one_finding(self, folder: Path, written: str, path: str, what: str, hint: str) -> None:
        finding = the_finding(folder, several(written))
        assert finding.path == path
        assert what in finding.what
        assert hint in finding.hint
        assert finding.line == several(written).count("\n")

    @pytest.mark.parametrize("written", ["{samples: 3}", "{samples: 99, sample: 3}", "3", "[x]"])
    def test_with_an_ask_it_is_refused_whatever_is_in_it(self, folder: Path, written: str) -> None:
        finding = the_finding(folder, f"{ASK}deep_think: {written}\n")
        assert (finding.path, finding.what) == ("deep_think", "`deep_think` is for a `screen`")

    def test_a_rule_that_there_is_not(self, folder: Path) -> None:
        finding = the_finding(folder, SCREEN.replace("screen:\n", "screen:\n  rule: most\n"))
        assert (finding.path, finding.line) == ("screen.rule", 7)
        assert finding.hint == "unanimous, majority or any_include."

    def test_one_criterion_that_is_wrong_is_one_finding(self, folder: Path) -> None:
        i, j = SCREEN.index("  include:"), SCREEN.index("  exclude:")
        finding = the_finding(folder, SCREEN[:i] + "  include:\n    - {id: Night, ask: At night.}\n" + SCREEN[j:])
        assert finding.path == "screen.include[0].id"


PROMPTED = SCREEN.replace("screen:\n", "screen:\n  prompts: {screen: mine.txt}\n")


class TestPrompts:
    def test_the_words_of_the_files_are_taken(self, folder: Path) -> None:
        (folder / "mine.txt").write_bytes(b"\xef\xbb\xbf\r\nJudge {it}.\r\nTwice.\r\n\r\n")
        (folder / "sub" / "settle.txt").write_text("Settle it.")
        task = load(folder, PROMPTED.replace("mine.txt", "mine.txt, adjudicate: sub/settle.txt")).task
        assert isinstance(task, ScreenSpec)
        assert (task.prompts.screen, task.prompts.adjudicate) == ("Judge {it}.\nTwice.", "Settle it.")

    @pytest.mark.parametrize(
        ("content", "what"),
        [
            (b"", "mine.txt is empty"),
            (b"\xef\xbb\xbf \r\n", "mine.txt is empty"),
            ("Ja.\nGrüße.".encode("cp1252"), "mine.txt is not UTF-8: byte 0xfc in line 2"),
            ("Judge.".encode("utf-16"), "mine.txt is not UTF-8: byte 0xff in line 1"),
            (b"%PDF-1.7\0\1", "mine.txt is no text: it holds U+0000"),
            (b"x" * 200_001, "mine.txt holds 200,001 bytes, too many for a prompt"),
        ],
        ids=["empty", "blank", "cp1252", "utf-16", "binary", "huge"],
    )
    def test_a_file_that_is_no_prompt(self, folder: Path, content: bytes, what: str) -> None:
        (folder / "mine.txt").write_bytes(content)
        finding = the_finding(folder, PROMPTED)
        assert (finding.path, finding.line) == ("screen.prompts.screen", 7)
        assert what in finding.what
        assert finding.hint

    @pytest.mark.parametrize(
        ("written", "path", "what", "hint"),
        [
            ("{screen: mine.txt}", "screen.prompts.screen", "there is no file mine.txt", "Did you mean mine2.txt?"),
            ("{screen: sub}", "screen.prompts.screen", "sub is a folder", "Name the files"),
            ('{screen: ""}', "screen.prompts.screen", "`screen` names no file", "take the key out"),
            ("{screen: [a.txt]}", "screen.prompts.screen", "a list is not a text", ""),
            ("{scren: mine2.txt}", "screen.prompts.scren", "unknown key `scren`", "Did you mean `screen`?"),
            ("mine2.txt", "screen.prompts", "is not a set of keys and values", "{key: value}"),
            ("{screen: }", "screen.prompts.screen", "has no value", ""),
        ],
    )
    def test_a_slip(self, folder: Path, written: str, path: str, what: str, hint: str) -> None:
        (folder / "mine2.txt").write_text("Judge.")
        finding = the_finding(folder, PROMPTED.replace("{screen: mine.txt}", written))
        assert finding.path == path
        assert what in finding.what
        assert hint in finding.hint


class TestWarnings:
    @pytest.mark.parametrize("deep_think", ["", "deep_think: {samples: 1, adjudicate: never}\n"])
    def test_a_rule_over_one_sample_changes_nothing(self, folder: Path, deep_think: str) -> None:
        study = load(folder, SCREEN.replace("screen:\n", "screen:\n  rule: majority\n") + deep_think)
        (warning,) = study.warnings
        assert (warning.path, warning.line) == ("screen.rule", 7)
        assert "changes nothing" in warning.what

    def test_one_sample_is_contested_by_its_quotes_alone(self, folder: Path) -> None:
        (warning,) = load(folder, several("{samples: 1}")).warnings
        assert (warning.path, warning.line) == ("deep_think.samples", 17)
        assert "only a quote that is not there" in warning.what

    @pytest.mark.parametrize(
        ("deep_think", "said"),
        [
            ("{samples: 3}", True),
            ("{samples: 3, framings: [for]}", True),
            ("{samples: 3, framings: [neutral, for, against]}", False),
            ("{samples: 1, adjudicate: never}", False),
        ],
    )
    def test_one_criterion_and_one_framing_are_one_prompt_repeated(
        self, folder: Path, deep_think: str, said: bool
    ) -> None:
        i, j = SCREEN.index("    - {id: planned_nap"), SCREEN.index("model:")
        one = load(folder, f"{SCREEN[:i]}{SCREEN[j:]}deep_think: {deep_think}\n").warnings
        assert [warning.path for warning in one if "same prompt, repeated" in warning.what] == [
            "deep_think.samples"
        ] * said
        assert not [w for w in load(folder, several(deep_think)).warnings if "repeated" in w.what], "two criteria turn"

    @pytest.mark.parametrize(("framings", "said"), [("neutral, for", "for"), ("against, neutral", "against")])
    def test_one_side_alone_leans(self, folder: Path, framings: str, said: str) -> None:
        (warning,) = load(folder, several(f"{{samples: 3, framings: [{framings}]}}")).warnings
        assert warning.path == "deep_think.framings"
        assert f"a sample speaks {said} the record and none speaks" in warning.what

    def test_silence_cannot_exclude_by_an_exclusion_criterion(self, folder: Path) -> None:
        (warning,) = load(folder, SCREEN.replace("reason: Wrong", "if_silent: met, reason: Wrong")).warnings
        assert (warning.path, warning.line, warning.level) == ("screen.exclude[0].if_silent", 12, "warning")

    def test_text_columns_that_an_ask_does_not_use(self, folder: Path) -> None:
        (warning,) = load(folder, ASK.replace("id: 007", "id: 007, text: [text, note]")).warnings
        assert "the prompt does not use note" in warning.what

    def test_a_slot_in_the_system_instruction(self, folder: Path) -> None:
        (warning,) = load(folder, ASK.replace("You read product", "You read {language} product")).warnings
        assert "only the prompt has slots" in warning.what

    @pytest.mark.parametrize(("chars", "said"), [(5_000, True), (3_000, False)])
    def test_much_text_behind_the_first_slot_of_an_ask_costs(self, folder: Path, chars: int, said: bool) -> None:
        after = ASK.replace("if any?", "if any? {text} " + "word " * (chars // 5))
        warnings = [one for one in load(folder, after).warnings if "stand behind the first slot" in one.what]
        assert len(warnings) == said
        if said:
            assert "5,0" in warnings[0].what
            assert "1,2" in warnings[0].what
            assert "`system`" in warnings[0].hint
        before = ASK.replace("if any?", "if any? " + "word " * (chars // 5))
        assert not [one for one in load(folder, before).warnings if "stand behind" in one.what]

    def test_a_text_that_ends_at_a_comment(self, folder: Path) -> None:
        text = SCREEN.replace("question: Do planned naps", "question: Do #planned naps")
        assert [warning.path for warning in load(folder, text).warnings] == ["screen.question"]
