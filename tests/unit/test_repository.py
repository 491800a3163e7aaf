"""What the repository as a whole must and must not hold."""

import re
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Written in pieces, so that this file does not hold what it looks for.
FORBIDDEN = [
    re.compile("python" + "hosted"),
    re.compile(r"registry\." + "npmjs"),
    re.compile(r"deb\." + "debian"),
    re.compile(r"(?<![\w.])pypi\." + "org/simple"),
    re.compile("/wor" + r"k/\w"),
    re.compile("/ro" + r"ot/\w"),
]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_package_host_or_a_path_of_a_machine() -> None:
    found = []
    for path in tracked():
        if path.suffix == ".png":
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for rule in FORBIDDEN for match in rule.finditer(text)]
    assert found == []


def test_every_pinned_dependency_has_hashes_and_no_address() -> None:
    text = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    pins = [block for block in re.split(r"\n(?=\S)", text) if not block.startswith("#")]
    assert len(pins) > 40
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []
    assert "://" not in text
    assert " @ " not in text


def test_each_run_time_dependency_has_its_reason_beside_it() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text.split("\ndependencies = [\n", 1)[1].split("\n]", 1)[0]
    lines = [line for line in block.splitlines() if line.strip()]
    assert len(lines) > 10
    assert [line for line in lines if not re.search(r'",\s+# \w', line)] == []


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 120
    assert _dead_links(ROOT / "README.md") == []


def test_links_between_the_pages_lead_somewhere() -> None:
    pages = [path for path in tracked() if path.suffix == ".md"]
    assert [link for page in pages for link in _dead_links(page)] == []


def _dead_links(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    return [
        f"{page.relative_to(ROOT)} → {target}"
        for target in targets
        if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists()
    ]


def test_the_wheel_holds_every_file_the_package_reads(tmp_path: Path) -> None:
    """`pipx install` gets a wheel: what is not Python must be in it too."""
    build = [str(ROOT / ".venv" / "bin" / "hatchling"), "build", "-t", "wheel", "-d", str(tmp_path)]
    if not Path(build[0]).exists():
        pytest.skip("no .venv here")
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(ROOT / "src").as_posix()
        for path in tracked()
        if path.is_relative_to(ROOT / "src" / "overnight")
    }
    assert wanted - held == set()
    assert {name for name in wanted if name.endswith((".sql", ".toml", ".html"))}
