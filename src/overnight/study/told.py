"""Findings as a person can read them, whatever the file holds: bounded in number and length, on one line each."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from overnight.errors import Finding

MOST_FINDINGS: Final = 100
"""More are counted, not listed."""
_MOST_CHARS: Final = 600
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def told(findings: Sequence[Finding]) -> list[Finding]:
    """In the order of their lines."""
    by_line = sorted(findings, key=lambda finding: finding.line)
    left_out = len(by_line) - MOST_FINDINGS
    more = [Finding(f"and {left_out:,} more like these")] if left_out > 0 else []
    return [fit(finding) for finding in by_line[:MOST_FINDINGS]] + more


def fit(finding: Finding) -> Finding:
    """What it quotes of the file is cut in the middle when it is long; control characters are shown as `\\x1b`."""
    return replace(finding, what=_fit(finding.what), path=_fit(finding.path), hint=_fit(finding.hint))


def _fit(text: str) -> str:
    half = _MOST_CHARS // 2
    cut = text if len(text) <= _MOST_CHARS else f"{text[:half]} … {text[-half:]}"
    return _CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), cut)
