"""Faults of making a job. A lost reply is `reset_after` on create; an error after the effect is `status` with
took_effect."""

from dataclasses import dataclass
from typing import ClassVar

from overnight.localcloud.faults.call import CallFault, Replay, Serving, read_body, unheard
from overnight.localcloud.faults.kind import Family, Kind, param


@dataclass(frozen=True)
class ReplyLost(CallFault):
    """A job is made and the reply is lost."""

    kind: ClassVar[str] = "create_reply_lost"
    calls: ClassVar[tuple[str, ...]] = ("create",)
    source: ClassVar[str] = "facts 1.4: a create carries no request id; run with google-genai 3.4.0 [S]"

    async def serve(self, call: Serving) -> None:
        await call.take_effect_only()
        await call.reset()


@dataclass(frozen=True)
class MadeTwice(CallFault):
    """One create makes two jobs with the same labels; the reply names the second."""

    kind: ClassVar[str] = "made_twice"
    calls: ClassVar[tuple[str, ...]] = ("create",)
    source: ClassVar[str] = "a create that is repeated by google-genai 3.4.0 with retries on [S]"

    async def serve(self, call: Serving) -> None:
        messages = await read_body(call.receive)
        await call.go_on(Replay(messages, call.receive), unheard)
        await call.go_on(Replay(messages, call.receive))


@dataclass(frozen=True)
class ListedLate(Kind):
    """A job is made at once but listed only after a delay."""

    kind: ClassVar[str] = "listed_late"
    family: ClassVar[Family] = "job"
    source: ClassVar[str] = "facts 1.4 [?]: whether the list lags"

    delay_s: float = param(5.0, "how long after its creation", high=86_400)
