"""For commands that look at a study and talk to nobody: any call is a mistake of ours and says so."""

from typing import Final, NoReturn

from overnight.backends.backend import Patience
from overnight.requests.shards import ShardLimits


class Unconnected:
    name: Final = "unconnected"
    limits: Final = ShardLimits()
    patience: Final = Patience((), then_create=False, poll_s=(0, 0), unusual_s=0)

    def _refuse(self, *_: object) -> NoReturn:
        raise RuntimeError("this command has no way to the service: it may only look")

    preflight = generate = count_tokens = _refuse
    place = stage = unstage = submit = find = poll = cancel = outputs = fetch = fetch_input = _refuse
    staged = manifest = _refuse
    hand_made = objects = remove = is_ours = delete_job = _refuse
    owner_place = owner = claim = _refuse

    def close(self) -> None:
        """Nothing is open."""
