"""The data folder: one process at a time, everything on disk, leftovers swept at the start."""

import json
import os
import secrets
import shutil
from pathlib import Path

from filelock import FileLock, Timeout

from overnight.localcloud.values import now_us, rfc3339


class HomeBusyError(Exception):
    """Another process serves this folder."""


class Home:
    """Paths under DIR. Objects lie under hashes: no name a client chose becomes a path."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.state = self.root / "state.sqlite"
        self.journal = self.root / "journal.sqlite"
        self.objects = self.root / "objects"
        self.uploads = self.root / "uploads"  # bytes of resumable uploads under way: they outlive the process
        self.work = self.root / "work"  # input and lines of jobs under way: they outlive the process
        self.tmp = self.root / "tmp"
        self.endpoint = self.root / "endpoint.json"
        self._lock = FileLock(str(self.root / "lock"))

    def open(self) -> None:
        """Raises HomeBusyError when another process has it. The system frees the lock when a process dies."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds whatever is uploaded
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise HomeBusyError(self._busy_text()) from error
        shutil.rmtree(self.tmp, ignore_errors=True)
        self.endpoint.unlink(missing_ok=True)
        for folder in (self.objects, self.uploads, self.work, self.tmp):
            folder.mkdir(exist_ok=True)

    def _busy_text(self) -> str:
        try:
            running = json.loads(self.endpoint.read_text("utf-8"))
            who = f"the local cloud at {running['endpoint']} (process {running['pid']})"
        except (OSError, ValueError, KeyError):
            who = "a local cloud that is just starting or stopping"
        return f"{self.root} is in use by {who}. Use that one, stop it, or choose another --data folder."

    def announce(self, endpoint: str) -> str:
        """Writes endpoint.json (0600: it holds the control token) and returns the token."""
        token = secrets.token_urlsafe(24)
        facts = {"endpoint": endpoint, "pid": os.getpid(), "control_token": token, "started": rfc3339(now_us())}
        fresh = self.tmp / "endpoint.json"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(facts, file)
        fresh.replace(self.endpoint)
        return token

    def close(self) -> None:
        self.endpoint.unlink(missing_ok=True)
        self._lock.release()

    def new_tmp(self) -> Path:
        return self.tmp / secrets.token_hex(12)
