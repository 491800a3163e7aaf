"""A chunk of input lines to a chunk of output lines."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from overnight.localcloud.switches import Switches
from overnight.localcloud.values import JsonObject, now_us, rfc3339
from overnight.localcloud.vertex.checks import RowRefusedError
from overnight.localcloud.vertex.echo import Echo
from overnight.localcloud.vertex.models import Model
from overnight.localcloud.vertex.output.line import ABSENT, Line
from overnight.localcloud.vertex.output.steps import cancelled_status, malformed, steps
from overnight.localcloud.vertex.respond import Answerer


@dataclass(frozen=True, slots=True)
class ServedChunk:
    """lines: bytes for the output, after every step. journal: (row, key, status) of each row, whatever became of it."""

    lines: list[bytes]
    journal: list[tuple[int, str, str]]
    failed: int
    strikes: dict[str, int]


class RowServer:
    """Reads its switches once; one per chunk, so that a switch thrown while a job runs takes hold."""

    def __init__(self, answerer: Answerer, switches: Switches, name: str, model: Model) -> None:
        self._answerer, self._name, self._model = answerer, name, model
        self._echo = Echo(switches)
        self._steps = steps(switches)
        self._echo_on_failure = switches.flag("echo_on_failure")
        self._failed_response = {"empty": {}, "absent": ABSENT, "null": None}[switches.text("failed_response")]
        self._malformed_every = switches.whole("malformed_every")

    def serve(self, raw_rows: list[bytes], first_row: int) -> ServedChunk:
        """raw_rows: lines the importer has taken. first_row: number of the first of them."""
        time = rfc3339(now_us())
        lines = [self._row(orjson.loads(raw), row, time) for row, raw in enumerate(raw_rows, first_row)]
        strikes: dict[str, int] = {}
        served = lines
        for step in self._steps:
            served, struck = step.apply(served)
            strikes[step.name] = strikes.get(step.name, 0) + struck
        journal = [(line.row, line.key, line.status) for line in lines]
        failed = sum(1 for line in lines if not line.served)
        raw = list(self._bytes(served, strikes))
        return ServedChunk(raw, journal, failed, strikes)

    def _row(self, line: JsonObject, row: int, time: str) -> Line:
        request = line["request"]
        made = Line(row, journal_key(line), self._echo.extras(line), "", time, None, ABSENT)
        try:
            made.response = self._answerer.answer(self._name, self._model, request)
        except RowRefusedError as refused:
            made.status, made.response = refused.row_status(), self._failed_response
            if not self._echo_on_failure:
                made.request, made.extras = ABSENT, {}
                return made
        made.request = self._echo.request(request)
        return made

    def _bytes(self, lines: list[Line], strikes: dict[str, int]) -> Iterator[bytes]:
        for line in lines:
            raw = line.to_bytes()
            if self._malformed_every and (line.row + 1) % self._malformed_every == 0:
                strikes["malformed_every"] = strikes.get("malformed_every", 0) + 1
                raw = malformed(raw)
            yield raw

    def not_done(self, raw_rows: list[bytes], first_row: int) -> list[bytes]:
        """Lines for rows a cancelled or expired job did not get to (switch `cancelled_rows`)."""
        time, status = rfc3339(now_us()), cancelled_status()
        parsed = ((row, orjson.loads(raw)) for row, raw in enumerate(raw_rows, first_row))
        return [
            Line(
                row, journal_key(line), self._echo.extras(line), status, time,
                self._echo.request(line["request"]), self._failed_response,
            ).to_bytes()
            for row, line in parsed
        ]  # fmt: skip


def journal_key(line: JsonObject) -> str:
    """The client's id of a row, for the journal: `key`, `custom_id`, or the first extra text."""
    for name in ("key", "custom_id"):
        if name in line:
            return str(line[name])
    return next((value for name, value in line.items() if name != "request" and isinstance(value, str)), "")
