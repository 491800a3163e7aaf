"""A pilot in words: what came of its records, the tokens they took, and what the rest will cost by that."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from overnight.cli.words import command, counted
from overnight.core.compared import contested_words
from overnight.core.realm import GOOGLE
from overnight.planning.pilot import Drawn
from overnight.run.estimate import Times
from overnight.run.pilot import Piloted, StageTokens
from overnight.run.plan import Planned
from overnight.run.publish import Closing

_WORDS: Final = ("include", "exclude", "unclear")
_STAGE_CHARS: Final = 22
_LEAD: Final = re.compile(r"^Room(: | (?=in ))")


def pilot_lines(found: Piloted, closing: Closing) -> Iterator[str]:
    yield f"Pilot: {part_words(found.pilot)}"
    if found.decisions:
        words = ", ".join(f"{found.decisions[name]:,} {name}" for name in _WORDS if found.decisions[name])
        yield f"  decisions {words}; {_for_a_person(found.needs_person)}"
    if found.compared.records:
        yield f"  samples   {_samples(found)}"
        if too_many := contested_words(found.compared.to_json()):
            yield f"            {too_many}"
    if found.measured:
        yield "  tokens    median and 95th percentile of an answered request:"
        yield from (f"            {_tokens(one)}" for one in found.measured)
    if found.rest is not None and found.times is not None:
        yield from _rest(found.rest, found.times, closing)


def part_words(drawn: Drawn) -> str:
    return f"{drawn.records:,} of {counted(drawn.of, 'record')}, {drawn.words}"


def after_pilot(found: Piloted, study: Path, report: str) -> str:
    """The next step, once the pilot's jobs have ended."""
    if found.open:
        return f"Next: {command('plan', study)}    (what of the pilot is still to be sent, and why)"
    look = f"look at {report}, and mend what is weak" if report else "mend what is weak in the study"
    again = "" if found.cost is None else f", {found.cost}"
    first = f"Next: {look} (a changed criterion asks these anew{again}; `if_silent` nothing)."
    if found.rest is not None and not found.rest.plan.to_send:
        return first
    return f"{first}\nThen: {command('run', study)}    (the other records; these stay answered)"


def _for_a_person(n: int) -> str:
    return "none needs a person" if not n else f"{n:,} {'needs' if n == 1 else 'need'} a person"


def _samples(found: Piloted) -> str:
    """Whole agreement first: `41 agreeing 3 of 3, 9 agreeing 2 of 3; 9 contested (18 %)`."""
    order = sorted(found.agreement.items(), key=lambda pair: (-_whole(pair[0]), pair[0]))
    agree = ", ".join(f"{n:,} agreeing {share}" for share, n in order)
    n, of = found.compared.contested, found.compared.records
    adjudicated = f", {found.compared.adjudicated:,} adjudicated" if found.compared.adjudicated else ""
    return f"{agree}; {n:,} contested ({100 * n / of:.0f} %){adjudicated}"


def _whole(share: str) -> float:
    agreed, _, asked = share.partition(" of ")
    return int(agreed) / int(asked)


def _tokens(one: StageTokens) -> str:
    head = f"{one.stage}, {counted(one.n_requests, 'answer')}"
    spreads: Mapping[str, str] = {name: f"{of.median:,} and {of.p95:,}" for name, of in one.tokens.items()}
    return f"{head:<{_STAGE_CHARS}}  " + "; ".join(f"{name} {words}" for name, words in spreads.items())


def _rest(rest: Planned, times: Times, closing: Closing) -> Iterator[str]:
    from overnight.cli.estimate import times_lines
    from overnight.cli.plan import room_lines, rooms_of

    n = rest.plan.to_send
    if not n:
        yield "  the rest  nothing: all that can be asked was asked"
        return
    if rest.estimated is None:
        yield f"  the rest  {counted(n, 'request')}, at a price that is not known"
        return
    amounts, mark = rest.estimated.together, "" if closing.realm == GOOGLE else ", if Google served it"
    follows = " and what may follow on them" if rest.estimated.later else ""
    between = f"{amounts.low} to {amounts.high}, at worst {amounts.worst}"
    yield f"  the rest  {counted(n, 'request')}{follows}, about {amounts.expected}{mark} ({between})"
    if closing.cost is not None:
        yield f"  together  about {closing.cost + amounts.expected}, what is spent included"
    yield from (f"  room      {_LEAD.sub('', line.strip())}" for line in room_lines(list(rooms_of(rest))))
    for place, line in enumerate(times_lines(closing.realm, times)):
        yield f"  {'' if place else 'time':<9} {line.strip().removeprefix('Time: ')}"
