"""LibreOffice without a window: what a spreadsheet program makes of a file. Debian's package; required in CI."""

import csv
import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOUND = shutil.which("soffice")

needs_office = pytest.mark.skipif(
    FOUND is None and not os.environ.get("CI"), reason="no soffice on the PATH (Debian: libreoffice-calc)"
)

_UTF8, _ALL_SHEETS = "76", "-1"


def opened_in_calc(path: Path, folder: Path) -> dict[str, list[list[str]]]:
    """Each sheet's cells as they are shown, after the program has opened the file; of a CSV the one sheet is ``''``."""
    out, profile = folder / "office", folder / "profile"
    out.mkdir(parents=True)
    given = f":44,34,{_UTF8},1" if path.suffix == ".csv" else ""
    written = f"csv:Text - txt - csv (StarCalc):44,34,{_UTF8},1,,0,false,true,false,false,false,{_ALL_SHEETS}"
    command = [str(FOUND or "soffice"), f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore"]
    command += [f"--infilter=CSV{given}"] if given else []
    command += ["--convert-to", written, "--outdir", str(out), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return {file.stem.removeprefix(path.stem).lstrip("-"): _cells(file) for file in sorted(out.glob("*.csv"))}


def _cells(file: Path) -> list[list[str]]:
    with file.open(newline="", encoding="utf-8") as text:
        return list(csv.reader(text))
