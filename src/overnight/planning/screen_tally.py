"""What is counted of a screen over all its records: who decided, why records are excluded, why a person has to look."""

from collections.abc import Iterator

from overnight.answers.decisions import Decision
from overnight.answers.screened import Screened


def tally_of(found: Screened | Decision) -> Iterator[tuple[str, str]]:
    """Of one record, as (what is counted, which). A decision: nothing could decide it, so a person does."""
    decision = found if isinstance(found, Decision) else found.decision
    yield "decided_by", decision.decided_by
    if decision.exclusion_reason:
        yield "exclusion_reason", decision.exclusion_reason
    if isinstance(found, Decision):
        yield "for_a_person", decision.decided_by
    elif found.doubts:
        yield "for_a_person", why_a_person(found)


def why_a_person(found: Screened) -> str:
    """One word for a record with doubts, the weightiest, so that the words add up to the records: what is unclear comes
    before what is decided and doubted. Records without an answer are counted by who decided them."""
    if found.decision.decision == "unclear":
        return "unclear"
    if found.adjudicated is None and found.agreed < found.asked:
        return "samples_differ"
    judged = [one for one in (found.samples if found.adjudicated is None else (found.adjudicated,)) if one is not None]
    if any(one.rests_on_lost_quotes for one in judged):
        return "quote_not_found"
    if any(one.contradicts_itself for one in judged):
        return "contradicts_itself"
    return "speaks_to_model" if found.notes else "other"
