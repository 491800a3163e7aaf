"""Who we are, as IAM spells it: what stands after `--member=` in the command that grants a right."""

import re
from typing import Final

from overnight.google.auth import Access

MY_LOGIN: Final = '"user:$(gcloud config get-value account)"'
"""A person's login holds no address (facts: docs/how-to/vertex-ai.md, step 3): the shell is asked for it."""
_POOL = re.compile(r"//iam\.googleapis\.com/((?:projects/[^/]+/)?locations/[^/]+/(?:workload|workforce)\w*/[^/]+)/")


def member_of(access: Access) -> str:
    """`user:…`, `serviceAccount:…`, or a workload identity's `principal://…`, whose last word only its issuer knows."""
    who = access.who
    if re.fullmatch(r"[^@\s]+@[^@\s]+\.gserviceaccount\.com", who):
        return f"serviceAccount:{who}"
    if re.fullmatch(r"[^@\s]+@[^@\s]+", who):
        return f"user:{who}"
    pool = _POOL.match(_audience(access))
    if pool is not None:
        return f"principal://iam.googleapis.com/{pool[1]}/subject/SUBJECT"
    module = type(access.credentials).__module__
    return "serviceAccount:EMAIL-OF-THIS-MACHINE" if "compute_engine" in module else MY_LOGIN


def _audience(access: Access) -> str:
    """Of credentials that another issuer vouches for (workload or workforce identity); empty for all others."""
    info = getattr(access.credentials, "info", None)
    found = info.get("audience") if isinstance(info, dict) else ""
    return found if isinstance(found, str) else ""
