"""Each guard of guards.py taken out of a copy of the source: the test it names fails, by its own words."""

import compileall
import json
import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import overnight
from tests.mutations.guard import Guard
from tests.mutations.guards import GUARDS

ROOT = Path(__file__).parents[2]
SOURCE = Path(overnight.__file__).parent
NOT_ITS_OWN = {"ImportError", "SyntaxError", "NameError", "AttributeError", "skipped"}
"""Ways to fail that say that the mutation is broken, not that the test found it."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the worker forks")


class Mutants:
    """A copy of the source in a folder of ours, and the process that runs tests against it."""

    def __init__(self, folder: Path) -> None:
        self.copy = folder / "copy" / "overnight"
        shutil.copytree(SOURCE, self.copy, ignore=shutil.ignore_patterns("__pycache__"))
        by_content = py_compile.PycInvalidationMode.CHECKED_HASH  # two mutants of one second are not taken for one
        assert compileall.compile_dir(self.copy, quiet=1, invalidation_mode=by_content)
        self._printed = (folder / "printed").open("w+b")
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(self.copy.parent), str(ROOT))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.mutations.worker", str(folder)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            text=True,
        )

    def run(self, *tests: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        begin = self._printed.seek(0, os.SEEK_END)
        self._process.stdin.write(json.dumps(tests) + "\n")
        self._process.stdin.flush()
        reply = self._process.stdout.readline()
        self._printed.seek(begin)
        printed = self._printed.read().decode(errors="replace")
        assert reply.strip(), f"the worker ended:\n{printed}"
        found: dict[str, Any] = json.loads(reply)
        assert found.get("ended"), f"no test ran:\n{printed}"
        assert found["early"] == []
        assert Path(found["imported"]).is_relative_to(self.copy), f"not the copy: {found['imported']}"
        return found

    def without(self, guard: Guard) -> dict[str, Any]:
        """What becomes of the guard's test where the guard is not there."""
        path = self.copy / guard.file
        before = path.read_bytes()
        text = before.decode()
        for old, new in guard.changes:
            assert text.count(old) == 1, f"{guard.file} holds {text.count(old)} times: {old!r}. The guard has moved"
            text = text.replace(old, new)
        path.write_bytes(text.encode())
        try:
            return self.run(guard.test)
        finally:
            path.write_bytes(before)

    def close(self) -> None:
        self._process.communicate()
        self._printed.close()


@pytest.fixture(scope="module")
def mutants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mutants]:
    made = Mutants(tmp_path_factory.mktemp("mutants"))
    yield made
    made.close()


@pytest.mark.parametrize("guard", GUARDS, ids=str)
def test_without_the_guard_its_test_fails(mutants: Mutants, guard: Guard) -> None:
    found = mutants.without(guard)
    (ended,) = [one for one in found["ended"] if one["kinds"]] or [None]
    assert ended is not None, f"{guard.test} passes although this is not there: {guard.why}"
    assert ended["when"] == "call"
    assert not NOT_ITS_OWN & set(ended["kinds"]), f"the mutation is broken: {ended}"
    assert not ended["words"].startswith("Timeout"), f"it hangs: {ended}"


def test_with_every_guard_in_place_all_of_them_pass(mutants: Mutants) -> None:
    tests = sorted({guard.test for guard in GUARDS})
    found = mutants.run(*tests)
    assert (found["code"], [one for one in found["ended"] if one["kinds"]]) == (0, [])
    assert {one["test"].partition("[")[0] for one in found["ended"]} == {test.partition("[")[0] for test in tests}


def test_a_guard_is_named_once() -> None:
    assert len({str(guard) for guard in GUARDS}) == len(GUARDS)


def test_a_change_that_takes_nothing_away_is_found_out(mutants: Mutants) -> None:
    """The harness itself: where nothing is taken out nothing fails, and what is not there cannot be taken out."""
    one = next(guard for guard in GUARDS if guard.name == "the surplus rule")
    ((old, _),) = one.changes
    idle = replace(one, changes=((old, old),))
    assert [ended["kinds"] for ended in mutants.without(idle)["ended"]] == [[]]
    with pytest.raises(AssertionError, match="The guard has moved"):
        mutants.without(replace(one, changes=((f"{old} moved", ""),)))
