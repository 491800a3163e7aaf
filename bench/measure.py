"""Measuring: each variant in a fresh process, in turn, medians. CPU of all threads and of ended children.

Wall time on a shared machine says little, CPU ratios to a yardstick in the same run say much: they kept within 4 to
25 % under loads at which wall ratios moved by half.
"""

import contextlib
import importlib
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Values = dict[str, float]


@contextlib.contextmanager
def measured(into: Values, name: str = "") -> Iterator[None]:
    """Adds `<name>cpu_s`, `wall_s`, `faults` (minor) and `peak_mb` (from here on; the process's own) to `into`."""
    _forget_peak()
    faults, cpu, wall = _faults(), _cpu_s(), time.perf_counter()
    yield
    into[f"{name}cpu_s"] = _cpu_s() - cpu
    into[f"{name}wall_s"] = time.perf_counter() - wall
    into[f"{name}faults"] = _faults() - faults
    into[f"{name}peak_mb"] = peak_mb()


def _cpu_s() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _forget_peak() -> None:
    """Linux forgets the high-water mark on request; elsewhere the peak is of the whole process so far."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_mb() -> float:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


@dataclass(slots=True)
class Runner:
    """rounds: how often each variant runs. fresh: in a process of its own (False only to try the code out)."""

    rounds: int = 3
    fresh: bool = True
    tell: Callable[[str], None] = field(default=lambda _: None)

    def once(self, function: str, **arguments: Any) -> Values:
        """function: `module:name`; it takes plain values and returns numbers."""
        if not self.fresh:
            return call(function, arguments)
        command = [sys.executable, "-m", "bench.child", function, json.dumps(arguments)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        values: Values = json.loads(done.stdout.splitlines()[-1])
        return values

    def rounds_of(self, variants: Mapping[str, tuple[str, Mapping[str, Any]]]) -> dict[str, Values]:
        """variant → medians. All variants once, then all again: a busy minute of the machine hits each of them."""
        found: dict[str, list[Values]] = {name: [] for name in variants}
        for number in range(self.rounds):
            for name, (function, arguments) in variants.items():
                values = self.once(function, **arguments)
                found[name].append(values)
                self.tell(f"  {name:<28} round {number + 1}: {values.get('cpu_s', 0):.2f} s CPU")
        return {name: medians(runs) for name, runs in found.items()}


def medians(runs: list[Values]) -> Values:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def call(function: str, arguments: Mapping[str, Any]) -> Values:
    module, _, name = function.partition(":")
    values: Values = getattr(importlib.import_module(module), name)(**arguments)
    return values


def command_cpu(command: list[str], times: int = 1) -> Values:
    """CPU seconds of a command, the median of so many runs."""
    spent = []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {"cpu_s": statistics.median(spent)}
