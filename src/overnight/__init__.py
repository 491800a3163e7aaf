"""A table of texts in, a table of verified answers out, overnight, at half price.

    import overnight

    print(overnight.check("study.yaml").n_records)
    closing = overnight.run("study.yaml", max_usd="5")
    print(closing.answers, closing.cost, closing.results["parquet"])

The same verbs as the command line; a study that names no `cloud:` is answered by the embedded local cloud. Everything
loads when it is used: `import overnight` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from overnight.api import cancel, check, export, fetch, forget, plan, retry, run, status
    from overnight.core.usage import Usd
    from overnight.errors import OvernightError
    from overnight.study.load import load_study

__all__ = [
    "OvernightError",
    "Usd",
    "cancel",
    "check",
    "export",
    "fetch",
    "forget",
    "load_study",
    "plan",
    "retry",
    "run",
    "status",
]

_HOMES = {
    "OvernightError": "overnight.errors",
    "Usd": "overnight.core.usage",
    "load_study": "overnight.study.load",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "overnight.api")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
