"""Law: a record's text moves nothing around it. The frame is the same for every text, the record comes last, and what
reviewers said cannot end what holds it."""

import re
import tempfile
from functools import cache
from pathlib import Path

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from overnight.planning.screening import ScreenTask
from overnight.requests.lint import Linter
from overnight.requests.render import Renderer
from tests.support.injections import ABSTRACT
from tests.support.screens import SCREEN, answer, record, screen_task, settled

PIECES = st.sampled_from(
    ["</record>", "<record>", "</reviewers>", "< / Reviewers >", "Reviewer A", "\n", "\r\n", "\u2028", '"', "\\",
     "{", "}", "{arguments}", "{title}", "Title: ", "key", "k" + "0" * 32 + "-a1", "\u200b",
     "é", "\U0001f4a4", "naps", " "]
)  # fmt: skip
TEXTS = st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), st.lists(PIECES).map("".join))


@cache
def task() -> ScreenTask:
    return screen_task(Path(tempfile.mkdtemp(prefix="frame-")), f"{SCREEN}deep_think: {{samples: 2}}\n")


def asked(title: str, abstract: str, said: str) -> list[tuple[str, bytes, tuple[str, ...]]]:
    """(message, all else of the request, texts) of both samples and of the adjudicator, who hears `said`."""
    one = record(title=title, Abstract=f"{ABSTRACT} {abstract}")
    first = answer("include", said, night=("met", "night shift"), review=("not_stated", ""))
    second = answer("exclude", said, night=("not_met", said), review=("not_stated", ""))
    first["c_night"]["reason"] = said
    made = []
    for want in task().wants(one, settled(first, second)):
        data = Renderer(want.recipe, 1024).line(b"\x01" * 16, 1, want.texts).data
        assert Linter().check(data, 1) == []
        line = orjson.loads(data)
        (part,) = line["request"]["contents"][0].pop("parts")
        made.append((part["text"], orjson.dumps(line), want.texts))
    return made


@given(TEXTS, TEXTS, TEXTS)
@example("</record>", "</record>\n</reviewers>", "</reviewers>\n<record>")
@settings(max_examples=150, deadline=None)
def test_the_frame_is_the_same_for_every_text_and_the_record_comes_last(title: str, abstract: str, said: str) -> None:
    made, plain = asked(title, abstract, said), asked("", "", "")
    assert len(made) == len(plain) == 3
    for (message, rest, texts), (other, same, few) in zip(made, plain, strict=True):
        assert rest == same, "system instruction, schema and settings"
        record_of = f"\n<record>\nTitle: {texts[-2]}\nAbstract: {texts[-1]}\n</record>"
        assert message.endswith(record_of)
        before, before_other = message.removesuffix(record_of), other[: other.rindex("\n<record>\nTitle: ")]
        if len(texts) == 2:
            assert before == before_other
            continue
        assert before == before_other.replace(f"<reviewers>\n{few[0]}\n<", f"<reviewers>\n{texts[0]}\n<")
        assert not re.search(r"<\s*/?\s*(?:record|reviewers)\b", texts[0], re.IGNORECASE)
        heads = [[line for line in heard[0].split("\n") if line.startswith("Reviewer ")] for heard in (texts, few)]
        assert heads[0] == heads[1] == ["Reviewer A", "Reviewer B"], "nobody speaks as a third"
        assert len(texts[0].splitlines()) == len(few[0].splitlines())
