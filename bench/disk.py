"""A backend that is a folder: a job is done when it is made. So a step is measured without a service beside it.

Jobs answer every line at once, in blocks of shuffled lines. Every 200th row is answered with something else than asked
for, and every 500th line comes twice, so that the paths for these are in the figures.
"""

import random
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from overnight.backends.backend import OutputFile, Patience
from overnight.core.states import JobStatus
from overnight.ledger.shards import Place
from overnight.requests.shards import ShardLimits

_BLOCK = 2_048
_TIME = b'{"status":"","processed_time":"2026-11-22T02:14:07.123456+00:00","request":'
_ANSWER = (
    b',"response":{"candidates":[{"content":{"parts":[{"text":"%s"}],"role":"model"},"finishReason":"STOP",'
    b'"avgLogprobs":-0.0421,"safetyRatings":[{"category":"HARM_CATEGORY_HATE_SPEECH","probability":"NEGLIGIBLE",'
    b'"probabilityScore":0.02,"severity":"HARM_SEVERITY_NEGLIGIBLE","severityScore":0.03}]}],"usageMetadata":'
    b'{"promptTokenCount":%d,"candidatesTokenCount":212,"thoughtsTokenCount":830,"totalTokenCount":%d,"trafficType":'
    b'"ON_DEMAND","promptTokensDetails":[{"modality":"TEXT","tokenCount":%d}]},"modelVersion":"%s",'
    b'"createTime":"2026-11-22T02:14:05.000000Z","responseId":"Q2%dxYaGq"},"key":"%s"}\n'
)
_GOOD = (
    rb"{\"topic\":\"night work\",\"design\":\"%s\",\"participants\":%d,\"planned\":true,\"finding\":"
    rb"\"Those who slept before the shift reacted faster at four in the morning; the gain was small in the second"
    rb" week and gone in the fourth.\",\"quote\":\"A planned nap of thirty minutes was compared with none.\"}"
)
_BAD = rb"{\"topic\":\"night work\",\"design\":\"anecdote %s\",\"participants\":%d}"


class Disk:
    """answering: also write the output files; without it lines are made, counted and dropped."""

    name = "disk"
    patience = Patience((), then_create=True, poll_s=(0.0, 0.0), unusual_s=1e9)

    def __init__(self, folder: Path, *, answering: bool, model: str, max_lines: int = 200_000) -> None:
        self._folder, self._answering, self._model = folder, answering, model
        self.limits = ShardLimits(max_lines=max_lines)
        self.size_bytes = 0

    def place(self, uid: str, label: str) -> Place:
        return Place("disk", "", "", str(self._folder), f"{label}.jsonl", f"{label}.out")

    def stage(self, place: Place, lines: Iterable[bytes], manifest: Mapping[str, object]) -> None:
        if not self._answering:
            for line in lines:
                self.size_bytes += len(line)
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / place.output).open("wb", buffering=1 << 20) as out:
            for line in output_lines(lines, self._model):
                out.write(line)

    def unstage(self, place: Place) -> None:
        (self._folder / place.output).unlink(missing_ok=True)

    def submit(self, place: Place, model: str, labels: Mapping[str, str]) -> JobStatus:
        return JobStatus(f"disk/{place.output}", "JOB_STATE_SUCCEEDED")

    def find(self, place: Place, key: str, value: str) -> Sequence[JobStatus]:
        return []

    def poll(self, place: Place, job: str) -> JobStatus:
        return JobStatus(job, "JOB_STATE_SUCCEEDED")

    def cancel(self, place: Place, job: str) -> None:
        raise NotImplementedError

    def outputs(self, place: Place, status: JobStatus) -> Sequence[OutputFile]:
        path = self._folder / place.output
        return [OutputFile("predictions.jsonl", path.stat().st_size)]

    def fetch(self, place: Place, file: OutputFile, target: BinaryIO) -> None:
        with (self._folder / place.output).open("rb") as source:
            shutil.copyfileobj(source, target, 1 << 20)

    def fetch_input(self, place: Place, target: BinaryIO) -> None:
        raise NotImplementedError


def output_lines(lines: Iterable[bytes], model: str) -> Iterator[bytes]:
    """What the service writes for these input lines, shuffled block by block."""
    draw = random.Random(11)
    block: list[bytes] = []
    for number, line in enumerate(lines):
        answered = output_line(line, number, model, bad=number % 200 == 199)
        block.append(answered)
        if number % 500 == 499:
            block.append(answered)
        if len(block) >= _BLOCK:
            draw.shuffle(block)
            yield from block
            block.clear()
    draw.shuffle(block)
    yield from block


def output_line(line: bytes, number: int, model: str, *, bad: bool = False) -> bytes:
    """The answer to one input line: `{"key":"…","request":{…}}` spliced, not parsed."""
    key, _, rest = line[8:].partition(b'"')
    request = rest[len(b',"request":') : rest.rindex(b"}")]
    text = (_BAD if bad else _GOOD) % ((b"trial", b"cohort", b"survey")[number % 3], number % 900)
    tokens = len(request) // 4
    return b"".join((_TIME, request, _ANSWER % (text, tokens, tokens + 1042, tokens, model.encode(), number, key)))
