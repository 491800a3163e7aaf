"""What is said of a record as a whole: the decision that follows from its verdicts, and why."""

from collections.abc import Iterable, Mapping
from typing import Final

from overnight.localcloud.standin.criteria import asked_about
from overnight.localcloud.standin.prompt import Prompt
from overnight.localcloud.standin.reviewers import read_reviewers
from overnight.localcloud.values import JsonObject

WHOLE: Final = ("mistakes", "rationale", "decision")
_DECISIONS: Final = ("include", "exclude", "unclear")
_CONTRADICTS: Final = 0.01  # so that whoever compares a decision with its verdicts has something to find
_MOST_MISTAKES: Final = 2


def of_the_whole(judged: Mapping[str, object], prompt: Prompt) -> JsonObject:
    """mistakes, rationale and decision; empty where no criterion was judged: then such names mean something else.

    judged: by name; the objects with a verdict are criteria. The decision is what the prompt of a screen says: exclude
    where an inclusion is not met or an exclusion met, include where all inclusions are met, else unclear.
    """
    verdicts = {
        name: str(one["verdict"])
        for name, one in judged.items()
        if isinstance(one, dict) and "verdict" in one and asked_about(name, "", prompt.frame).kind
    }
    if not verdicts:
        return {}
    kinds = {name: asked_about(name, "", prompt.frame).kind for name in verdicts}
    against = [name for name, kind in kinds.items() if verdicts[name] == ("not_met" if kind == "include" else "met")]
    open_ = [
        name
        for name, kind in kinds.items()
        if verdicts[name] == "unclear" or (kind == "include" and verdicts[name] == "not_stated")
    ]
    decision = "exclude" if against else "unclear" if open_ else "include"
    return {
        "mistakes": _mistakes(verdicts, prompt),
        "rationale": _rationale(verdicts, against or open_, decision),
        "decision": _told(decision, prompt),
    }


def _told(decision: str, prompt: Prompt) -> str:
    luck = prompt.chance("contradicts itself") / _CONTRADICTS
    if luck >= 1:
        return decision
    others = [one for one in _DECISIONS if one != decision]
    return others[int(luck * len(others))]


def _rationale(verdicts: Mapping[str, str], ground: list[str], decision: str) -> str:
    met = [name for name, verdict in verdicts.items() if verdict == "met"]
    first = f"The record bears out {_listed(met)}." if met else "The record bears out none of the criteria."
    if not ground:
        return f"{first} Nothing in it speaks against including it."
    how = verdicts[ground[0]].replace("_", " ")
    end = "speaks against including it" if decision == "exclude" else "leaves open whether it belongs"
    return f"{first} That {_listed(ground[:1])} is {how} {end}."


def _mistakes(verdicts: Mapping[str, str], prompt: Prompt) -> str:
    wrong = [
        f"Reviewer {said.reviewer} on {said.criterion}: {said.verdict}, and the record bears out {verdict}."
        for said in read_reviewers(prompt.reviewers)
        if (verdict := verdicts.get(said.criterion, said.verdict)) != said.verdict
    ]
    return " ".join(wrong[:_MOST_MISTAKES])


def _listed(names: Iterable[str]) -> str:
    plain = [name.removeprefix("c_").replace("_", " ") for name in names]
    return " and ".join([", ".join(plain[:-1]), plain[-1]] if len(plain) > 1 else plain)
