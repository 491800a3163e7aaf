"""What the kinds mean, in plain words for the person who reads the report."""

from collections.abc import Mapping
from typing import Any, Final

from overnight.core.outcome import Identity, NotSent, ProblemKind, StrayKind
from overnight.report.screening import Concern

PROBLEMS: Final[dict[ProblemKind, str]] = {
    ProblemKind.BLOCKED: "A filter of the service stopped the prompt or the answer; sending it again ends the same.",
    ProblemKind.TRUNCATED: "The answer ended at the token limit, more room on later attempts included.",
    ProblemKind.MALFORMED: "The answer was not the JSON asked for.",
    ProblemKind.INVALID: "The answer was JSON, but not of the form asked for.",
    ProblemKind.REFUSED: "The service refused this row as it was written.",
    ProblemKind.SERVICE_ERROR: "The service failed on this row, or on its whole job.",
    ProblemKind.MISSING: "The job ended and its output held no line for this row.",
    ProblemKind.MISMATCHED: "Key and echoed text disagree: whose answer it is cannot be known, so it was not used.",
    ProblemKind.EXPIRED: "The job ran out of time before it came to this row.",
    ProblemKind.CANCELLED: "A person cancelled the job before it came to this row.",
}

NOT_SENT: Final[dict[NotSent, tuple[str, str]]] = {
    NotSent.NO_TEXT: ("no text", "There is no text for the model to read, or no abstract where the study wants one."),
    NotSent.DUPLICATE: ("duplicate", "Another record of the same publication stands for it."),
    NotSent.OVER_BUDGET: (
        "over budget",
        "The limit holds no room for it (`when_over: fit`).",
    ),
    NotSent.DECIDED_BY_PERSON: ("decided by a person", "A person's decision stands; no model was asked."),
}

IDENTITIES: Final[dict[Identity, tuple[str, str]]] = {
    Identity.KEY: ("key and text", "The line's key and the text it echoes agree."),
    Identity.LOOSE: ("key and text, loosely", "They agree but for white space, control characters or Unicode form."),
    Identity.KEY_ONLY: ("key only", "The line echoed no text to check its key with."),
    Identity.FINGERPRINT: ("text only", "The line had no key; its text names exactly one request."),
}

STRAYS: Final[dict[StrayKind, tuple[str, str]]] = {
    StrayKind.DUPLICATE: ("duplicate", "Another line of the same attempt was taken."),
    StrayKind.UNIDENTIFIED: ("unidentified", "Neither a key nor a text says whose line it is."),
    StrayKind.FOREIGN: ("foreign", "The job was not asked about this."),
    StrayKind.SURPLUS: ("surplus", "The request was settled before. Kept and billed, never replacing."),
}

CONCERNS: Final[dict[Concern, tuple[str, str]]] = {
    Concern.UNSETTLED: (
        "Contested, and not settled",
        "The samples do not settle it, and no adjudicator has.",
    ),
    Concern.UNCLEAR: (
        "Unclear",
        "Neither in nor out by the verdicts: a criterion is unclear, or nothing is said of it.",
    ),
    Concern.ADJUDICATED: ("Adjudicated, and doubtful", "The adjudicator decided, and something speaks against it."),
    Concern.DOUBTFUL: (
        "Decided, and doubtful",
        "There is a decision, and something about the answers that a person should see first.",
    ),
    Concern.NO_ANSWER: ("No answer", "The model gave none. That is never a ground to exclude."),
    Concern.NO_ABSTRACT: ("No abstract", "It was not sent. That is never a ground to exclude."),
}

PARTS: Final[dict[str, tuple[str, str]]] = {
    "input": ("answers: input", "first"),
    "cached": ("answers: cached input", "quiet"),
    "thinking": ("answers: thinking", "doubt"),
    "answer": ("answers: the answer itself", "good"),
    "failed": ("lines that ended as problems", "bad"),
    "strays": ("stray lines, surplus among them", "bad"),
    "smoke": ("rows asked at once, before a job", "quiet"),
}
"""Of the cost: words and tone."""

STATES: Final[dict[str, str]] = {"answer": "answer", "problem": "problem", "not_sent": "not sent", "open": "open"}


def plain(word: str) -> str:
    """`not_met` → "not met"; `JOB_STATE_SUCCEEDED` → "succeeded"."""
    return word.removeprefix("JOB_STATE_").replace("_", " ").lower() if word.isupper() else word.replace("_", " ")


def pilot_words(found: Mapping[str, Any]) -> str:
    """found: drawn, records, of."""
    return f"A pilot: {found['records']:,} of {found['of']:,} records were asked first, {found['drawn']}."


def sample_words(sample: Mapping[str, Any]) -> str:
    """What a part of the records may stand for. sample: seed, records_sent, of, simple_random."""
    part = f"{sample['records_sent']:,} of {sample['of']:,} records were sent, as many as fit under the limit"
    if sample["simple_random"]:
        return (
            f"{part}: a simple random sample of them, drawn by a digest of the seed {sample['seed']} and each record's"
            " text; none was passed over for its length, and records of equal text were drawn together."
        )
    return (
        f"{part}, and they are no random sample: some were sent before the draw of seed {sample['seed']}, or by another"
        " seed. Only those sent since are drawn at random, from those that were left."
    )
