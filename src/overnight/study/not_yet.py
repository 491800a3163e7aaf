"""Keys refused by name, never silently ignored: what this version does not do yet, and what has another place."""

from typing import Final

_SAMPLES = "Write it under deep_think: {samples: 3, adjudicate: contested}."
_REVIEW = "Take it out; a page for people's decisions comes later. The results hold what it needs."

KEYS_NOT_YET: Final[dict[tuple[str, ...], str]] = {
    ("gold",): "Leave it out; compare results.csv with your labels yourself for now.",
    ("ask_also",): "Leave it out, or make a second study with `ask` over the records included here.",
    ("qa",): "Leave it out, or make a second study with `ask` over the records included here.",
    ("review",): _REVIEW,
    ("human",): _REVIEW,
    ("stage",): "Leave it out.",
    ("output",): "Leave it out: `overnight export --to FILE` writes other formats.",
    ("records", "table"): "Name files: records: {files: [records.csv]}. BigQuery tables come later.",
    ("model", "seed"): "Leave it out.",
    ("model", "temperature"): "Leave it out: newer models ignore it, and it is not part of a recipe.",
    ("model", "max_output_tokens"): "Leave it out: the tool chooses it from the model, then from your answers.",
    ("budget", "stop_at"): "Leave it out: the limit holds for the worst case.",
    ("cloud", "engine"): "Leave it out: jobs go through Cloud Storage in this version.",
    ("cloud", "backend"): "Leave it out: jobs go through Cloud Storage in this version.",
    ("cloud", "dataset"): "Leave it out: jobs go through Cloud Storage in this version.",
    (
        "cloud",
        "api_key",
    ): "Leave it out, and keep keys out of files: `gcloud auth application-default login` logs in.",
}
"""Key path → what to do instead."""

KEYS_ELSEWHERE: Final[dict[tuple[str, ...], str]] = {
    ("adjudicate",): _SAMPLES,
    ("rule",): "Write it under `screen`: rule: unanimous, majority or any_include.",
    ("model", "samples"): _SAMPLES,
    ("model", "framings"): _SAMPLES,
}
"""Key path → where it stands."""
