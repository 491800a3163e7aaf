"""A chunk of input lines to a chunk of output lines."""

from dataclasses import dataclass
from typing import Final

import orjson

from overnight.localcloud.faults.lines import Hits, LineFault
from overnight.localcloud.switches import Switches
from overnight.localcloud.values import JsonObject, now_us, rfc3339
from overnight.localcloud.vertex.echo import Echo
from overnight.localcloud.vertex.models import Model
from overnight.localcloud.vertex.output.line import ABSENT, Line
from overnight.localcloud.vertex.refusal import RowRefusedError
from overnight.localcloud.vertex.respond import Answerer

_FAILED_RESPONSES: Final[dict[str, object]] = {"empty": {}, "absent": ABSENT, "null": None}
# Of a row that was not done; the text is not known (facts 3.3 [?]).
_NOT_DONE: Final = RowRefusedError(499, "The operation was cancelled.", lead="Cancelled").row_status()


@dataclass(frozen=True, slots=True)
class ServedChunk:
    """lines: bytes for the output, after every fault. journal: (row, key, status) of each row, also of one left out."""

    lines: list[bytes]
    journal: list[tuple[int, str, str]]
    failed: int


class RowServer:
    """Reads its switches once; one per chunk, so that a switch thrown while a job runs takes hold."""

    def __init__(self, answerer: Answerer, switches: Switches, name: str, model: Model) -> None:
        self._answerer, self._name, self._model = answerer, name, model
        self._echo = Echo(switches)
        self._echo_on_failure = switches.flag("echo_on_failure")
        self._failed_response = _FAILED_RESPONSES[switches.text("failed_response")]

    def serve(self, raw_rows: list[bytes], first_row: int) -> list[Line]:
        """raw_rows: lines the importer has taken. first_row: number of the first of them."""
        time = rfc3339(now_us())
        return [self._row(orjson.loads(raw), row, time) for row, raw in enumerate(raw_rows, first_row)]

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

    def not_done(self, raw_rows: list[bytes], first_row: int) -> list[bytes]:
        """Lines for rows a cancelled or expired job did not get to (switch `cancelled_rows`)."""
        time = rfc3339(now_us())
        parsed = ((row, orjson.loads(raw)) for row, raw in enumerate(raw_rows, first_row))
        return [
            Line(
                row, journal_key(line), self._echo.extras(line), _NOT_DONE, time, self._echo.request(line["request"]),
                self._failed_response,
            ).to_bytes()
            for row, line in parsed
        ]  # fmt: skip


def finished(lines: list[Line], faults: list[tuple[LineFault, Hits]]) -> ServedChunk:
    """What becomes of served lines: each fault in turn, then bytes."""
    out = lines
    for fault, hits in faults:
        out = fault.apply(out, hits)
    journal = [(line.row, line.key, line.status) for line in lines]
    return ServedChunk([line.to_bytes() for line in out], journal, sum(1 for line in lines if not line.served))


def journal_key(line: JsonObject) -> str:
    """The client's id of a row, for the journal: `key`, `custom_id`, or the first extra text."""
    for name in ("key", "custom_id"):
        if name in line:
            return str(line[name])
    return next((value for name, value in line.items() if name != "request" and isinstance(value, str)), "")
