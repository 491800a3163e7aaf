"""What a request asks about: the record's text, and the frame of instructions around it."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Final

from overnight.localcloud.standin.words import sentence_stems, sentences
from overnight.localcloud.values import JsonObject

_RECORD: Final = re.compile(r"<record\b[^>]*>(.*?)</record>", re.DOTALL)
_TAGGED: Final = re.compile(r"<([a-z][\w-]*)\b[^>]*>(.*?)</\1>", re.DOTALL)
_REVIEWERS: Final = re.compile(r"<reviewers>(.*?)</reviewers>", re.DOTALL)
_SPEAKS: Final = re.compile(r"yours is to speak (for|against) it")
_BLANK_LINE: Final = re.compile(r"\n[ \t]*\n")


@dataclass
class Prompt:
    """record: the text asked about. frame: the instructions, the system's included. prefix: what stands before the
    record. reviewers: what others said of it, in neither of the two. leaning: 1 or -1 where one side is to be heard."""

    record: str
    frame: str
    whole: str = field(repr=False)
    prefix: str = field(repr=False)
    reviewers: str = ""
    leaning: int = 0

    @cached_property
    def sentences(self) -> list[tuple[str, frozenset[str]]]:
        return [(sentence, sentence_stems(sentence)) for sentence in sentences(self.record)]

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset().union(*(words for _, words in self.sentences))

    def chance(self, about: str) -> float:
        """A number in [0, 1), the same whenever the same prompt is asked about the same thing."""
        digest = blake2b(about.encode(), key=self._seed, digest_size=6).digest()
        return int.from_bytes(digest, "big") / 2**48

    @cached_property
    def _seed(self) -> bytes:
        return blake2b(self.whole.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    def best_sentence(self, words: frozenset[str]) -> tuple[str, int]:
        """The sentence that shares most words, the first of equals, and how many it shares. ("", 0) without text."""
        best, most = "", -1
        for sentence, its_words in self.sentences:
            shared = len(words & its_words)
            if shared > most:
                best, most = sentence, shared
        return best, max(most, 0)


def request_texts(content: object) -> list[str]:
    """The text parts of one content; a bare part or a bare string is taken as it is."""
    if isinstance(content, str):
        return [content]
    parts = content.get("parts") if isinstance(content, dict) else None
    parts = [parts] if isinstance(parts, (dict, str)) else parts
    if not isinstance(parts, list):
        return []
    texts = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return [text for text in texts if isinstance(text, str)]


def read_prompt(request: JsonObject) -> Prompt:
    system = "\n".join(request_texts(request.get("systemInstruction", request.get("system_instruction"))))
    contents = request.get("contents")
    parts = [text for content in contents or () if _is_user(content) for text in request_texts(content)]
    asked = "\n\n".join(parts)
    record, frame = split_record(asked, parts)
    said = _REVIEWERS.search(frame)
    if said:
        frame = frame[: said.start()] + frame[said.end() :]
    side = _SPEAKS.search(system)
    return Prompt(
        record=record,
        frame=f"{system}\n{frame}",
        whole=f"{system}\0{asked}",
        prefix=system + _before(asked, record),
        reviewers=said[1] if said else "",
        leaning=0 if side is None else 1 if side[1] == "for" else -1,
    )


def _before(asked: str, record: str) -> str:
    first_line = record.partition("\n")[0]  # several records are joined by line ends that are not in the prompt
    return asked[: asked.find(first_line)] if first_line else asked


def _is_user(content: object) -> bool:
    return isinstance(content, dict) and content.get("role", "user") == "user"


def split_record(asked: str, parts: list[str]) -> tuple[str, str]:
    """(record, frame): inside <record>, else the longest tagged block, else the longest part or paragraph."""
    records = _RECORD.findall(asked)
    if records:
        return "\n".join(text.strip() for text in records), _RECORD.sub("\n", asked)
    blocks = [found[2].strip() for found in _TAGGED.finditer(asked)]
    if not blocks:
        blocks = parts if len(parts) > 1 else _BLANK_LINE.split(asked)
    record = max(blocks, key=len, default="")
    return record.strip(), asked.replace(record, "\n", 1)
