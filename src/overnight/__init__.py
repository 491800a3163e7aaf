"""A table of texts in, a table of verified answers out, overnight, at half price.

    import overnight

    study = overnight.open("study.yaml")
    print(study.check().n_records, study.plan().expected)
    closing = study.run(max_usd="5")
    print(closing.answers, closing.cost, closing.results["parquet"])

The verbs of the command line: check, plan, run, status, fetch, cancel, retry, forget, export; `look_at(files)` is
`overnight records`. A study that names no
`cloud:` is answered by the embedded local cloud. Everything loads when it is used: the import costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from overnight.api import StudyFile, open  # noqa: A004  # read as overnight.open
    from overnight.core.usage import Usd
    from overnight.errors import OvernightError
    from overnight.study.load import load_study
    from overnight.wiring.looking import look_at

__all__ = ["OvernightError", "StudyFile", "Usd", "load_study", "look_at", "open"]

_HOMES = {
    "OvernightError": "overnight.errors",
    "StudyFile": "overnight.api",
    "Usd": "overnight.core.usage",
    "load_study": "overnight.study.load",
    "look_at": "overnight.wiring.looking",
    "open": "overnight.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
