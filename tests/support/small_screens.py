"""Small screens with several samples and an adjudicator, run through the real CLI and counted in the ledger."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.studies import SmallStudy

SCREEN = """\
study: {name}
records: {{files: [records.csv], id: id, text: [text]}}
screen:
  question: Do planned naps help people who work at night?
{rules}  include:
{criteria}
model: {{name: {model}, thinking: low}}
attempts: {attempts}
{deep}"""
NIGHT = "night: The people studied worked in wards on the night shift for weeks."
NAPS = "naps: They took planned naps in the ward on each night of the shift."
THREE = "samples: 3, adjudicate: contested"
_WHO = ("nurses", "drivers", "guards", "pilots", "porters", "medics", "bakers", "welders")
_DID = ("took planned naps", "napped when they could", "did not nap at all", "rested in a chair")


def screen_text(number: int) -> str:
    """Each sentence names its record, so that a quote does."""
    who, did = _WHO[number % len(_WHO)], _DID[number // 3 % len(_DID)]
    return f"In ward {number:04d} we studied {number + 20} {who}. By ward {number:04d} at night they {did}."


@dataclass
class SmallScreen(SmallStudy):
    """deep: the inside of `deep_think`, empty for one sample. criteria: `id: ask`, all to include; silent: of each."""

    deep: str = THREE
    criteria: tuple[str, ...] = (NIGHT, NAPS)
    silent: str = "unclear"
    rules: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, home: Path, n: int, **changes: Any) -> "SmallScreen":
        study = cls(home, texts={f"r{number}": screen_text(number) for number in range(n)}, **changes)
        study.write()
        return study

    def write(self) -> None:
        super().write()
        criteria = (one.split(": ", 1) for one in self.criteria)
        body = SCREEN.format(
            name=self.name,
            model=self.model,
            attempts=self.attempts,
            rules="".join(f"  {name}: {value}\n" for name, value in self.rules.items()),
            criteria="\n".join(f"    - {{id: {id_}, ask: {ask}, if_silent: {self.silent}}}" for id_, ask in criteria),
            deep=f"deep_think: {{{self.deep}}}\n" if self.deep else "",
        )
        self.path.write_text(body + self.more, encoding="utf-8")

    def asked(self) -> Counter[tuple[str, str]]:
        """(stage, recipe's first letters) → attempts sent."""
        rows = self.query("SELECT stage, substr(recipe, 1, 8), n_rows FROM shard WHERE state <> 'abandoned'")
        found: Counter[tuple[str, str]] = Counter()
        for stage, recipe, n in rows:
            found[stage, recipe] += n
        return found

    def stages(self) -> Counter[str]:
        """Attempts sent of each stage."""
        found: Counter[str] = Counter()
        for (stage, _), n in self.asked().items():
            found[stage] += n
        return found

    def bound(self, stage: str) -> dict[str, bytes]:
        """record_id → the address of its last request of that stage (sample 1)."""
        return dict(self.query(f"SELECT record_id, address FROM binding WHERE stage = '{stage}' AND sample = 1"))
