"""What can stop a run. What happens to a *row* is data (core/outcome.py), never one of these.

    OvernightError                     1   anything of ours; every error says what, where and what to do
    ├── UsageError                     2   the command line
    ├── StudyError                     3   study.yaml: all findings at once
    ├── RecordsError                   4   the user's tables
    ├── BudgetError                    5   the limit would be passed
    ├── ConsentError                   6   money would be spent and nobody said yes
    ├── LedgerError                    7   the study's memory
    │   └── LockedError                7   another process holds the study, or another copy of it has sent since
    ├── CloudError                     8   the service, or the way to it
    │   ├── CredentialsError           8
    │   ├── RefusedError               8   the service said no (4xx): the same call would be refused again
    │   │   └── NotFoundError          8   404
    │   └── UnavailableError           8   the service did not answer well (5xx, timeout, cut connection)
    │       └── UnreachableError       8   it was never reached: the call took no effect
    ├── DoubtfulSubmitError            9   a job may or may not exist: a person has to look
    ├── JobError                      10   a job needs a person (paused, unknown state)
    ├── BreakerError                  11   too many rows of a job are wrong in the same way
    ├── AccountingError               12   the sums do not add up: nothing is published as final
    └── OutputError                   13   a file could not be written (open elsewhere, disk full, no right)

Exit code 0: nothing left to send, or detached. 130: stopped by Ctrl-C before anything was under way.
`docs/reference/exit-codes.md` is checked against this file by a test.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal


class OvernightError(Exception):
    """Base of everything that stops a run.

    what: the fact, with the value in it. where: file:line, key path, job or object. hint: what to do next.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.hint = what, where, hint

    def __str__(self) -> str:
        return "\n".join(
            line for line in (self.what, self.where and f"  at {self.where}", self.hint and f"  → {self.hint}") if line
        )


class UsageError(OvernightError):
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong (or worth knowing) in a study or its records.

    path: key path such as `records.files[1]`; line: 1-based line in `file`, 0 where there is none.
    """

    what: str
    path: str = ""
    file: str = ""
    line: int = 0
    hint: str = ""
    level: Literal["error", "warning"] = "error"

    @property
    def where(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ", ".join(part for part in (place, self.path) if part)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}" + (f"\n  → {self.hint}" if self.hint else "")


class _FindingsError(OvernightError):
    """An error made of findings: all of them are shown at once. left_out: how many more there are, counted only."""

    noun: ClassVar[str] = "the input"

    def __init__(self, findings: Sequence[Finding], left_out: int = 0) -> None:
        self.findings = tuple(findings)
        self.left_out = left_out
        n = len(self.findings) + left_out
        super().__init__(f"{n} thing{'s' if n != 1 else ''} to mend in {self.noun}")

    def __str__(self) -> str:
        more = [f"and {self.left_out:,} more"] if self.left_out else []
        return "\n".join([f"{self.what}:", *(str(finding) for finding in self.findings), *more])


class StudyError(_FindingsError):
    exit_code = 3
    noun = "the study"


class RecordsError(_FindingsError):
    exit_code = 4
    noun = "the records"


class BudgetError(OvernightError):
    exit_code = 5


class ConsentError(OvernightError):
    exit_code = 6


class LedgerError(OvernightError):
    exit_code = 7


class LockedError(LedgerError):
    pass


class CloudError(OvernightError):
    exit_code = 8


class CredentialsError(CloudError):
    pass


class RefusedError(CloudError):
    """The service said no. `code` is the HTTP status."""

    def __init__(self, what: str, *, code: int, where: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.code = code


class NotFoundError(RefusedError):
    pass


class UnavailableError(CloudError):
    """No usable reply. Whether the call took effect is not known."""


class UnreachableError(UnavailableError):
    """No connection was made, or no token was had: the request never left this machine, so nothing took effect."""


class DoubtfulSubmitError(OvernightError):
    exit_code = 9


class JobError(OvernightError):
    exit_code = 10


class BreakerError(OvernightError):
    exit_code = 11


class AccountingError(OvernightError):
    exit_code = 12


class OutputError(OvernightError):
    exit_code = 13
