"""Something between a run and its way to the service: watches calls of the real backend, or answers in its place."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from overnight.wiring import service

Reply = Mapping[str, Any]


class Between:
    """Every call goes to the real backend. before: told the name of a submit or generate that is about to be made.
    reply: gets the number of a generate (from 0) and its real reply, and returns another one, or raises."""

    def __init__(
        self,
        backend: Any,
        before: Callable[[str], None] | None,
        reply: Callable[[int, Reply], Reply] | None,
    ) -> None:
        self._backend, self._before, self._reply = backend, before, reply
        self._n = 0

    def submit(self, *arguments: Any) -> Any:
        if self._before is not None:
            self._before("submit")
        return self._backend.submit(*arguments)

    def generate(self, *arguments: Any) -> Reply:
        if self._before is not None:
            self._before("generate")
        found: Reply = self._backend.generate(*arguments)
        number, self._n = self._n, self._n + 1
        return found if self._reply is None else self._reply(number, found)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


def stand_between(
    patch: pytest.MonkeyPatch,
    *,
    before: Callable[[str], None] | None = None,
    reply: Callable[[int, Reply], Reply] | None = None,
) -> None:
    """For every run in this process until the patch is undone."""
    real = service.backend_of
    patch.setattr(service, "backend_of", lambda given, tell: Between(real(given, tell), before, reply))
