"""Where requests go, and where credentials may go.

Hosts are built from the location alone; nothing in the environment moves them (`*_EMULATOR_HOST`, `*_BASE_URL` and
the like are for other people's tools). Source of the hosts: facts 1.1, [D].
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from overnight.errors import CredentialsError, UsageError

MULTI_REGIONS: Final = frozenset({"us", "eu"})
GLOBAL: Final = "global"

_LOCATION = re.compile(r"[a-z][a-z0-9-]{0,40}")
_GOOGLE: Final = "googleapis.com"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base URLs without a slash at the end. local_base: of the local cloud, empty for Google."""

    storage: str
    local_base: str = ""

    @property
    def local(self) -> bool:
        return bool(self.local_base)

    def vertex(self, location: str) -> str:
        """The base URL that serves a location. Raises UsageError for what is no location."""
        if not _LOCATION.fullmatch(location):
            raise UsageError(
                f"{location!r} is no location",
                where="cloud.location",
                hint="Write global, us, eu or a region such as us-central1 or europe-west4.",
            )
        if self.local_base:
            return self.local_base
        if location == GLOBAL:  # global-aiplatform.googleapis.com does not exist (facts 1.1, [U])
            return f"https://aiplatform.{_GOOGLE}"
        if location in MULTI_REGIONS:
            return f"https://aiplatform.{location}.rep.{_GOOGLE}"
        return f"https://{location}-aiplatform.{_GOOGLE}"


def google_endpoints() -> Endpoints:
    return Endpoints(storage=f"https://storage.{_GOOGLE}")


def local_endpoints(base_url: str) -> Endpoints:
    """The local cloud at `http://127.0.0.1:PORT`. Raises UsageError unless it is a plain loopback address."""
    base = base_url.removesuffix("/")
    if not _is_loopback_url(base) or base != "{0.scheme}://{0.netloc}".format(urlsplit(base)):
        raise UsageError(
            f"{base_url!r} is no address on this machine",
            hint="A local cloud is reached at http://127.0.0.1:PORT; `overnight local-cloud` prints its address.",
        )
    return Endpoints(storage=base, local_base=base)


def check_destination(url: str, *, local: bool) -> None:
    """Raises CredentialsError before a credential could leave for the wrong place.

    Google's credentials go to *.googleapis.com over https only; the local cloud's fixed word only to loopback.
    """
    if _is_loopback_url(url) if local else _is_google_url(url):
        return
    parts = _plain_parts(url)
    target = f"{parts[0]}://{parts[1]}" if parts else repr(url)
    place = "an address on this machine" if local else "Google (https, *.googleapis.com)"
    raise CredentialsError(
        f"a request was about to take credentials to {target}, which is not {place}",
        hint="Nothing was sent. A reply or a setting pointed there: if you did not make that setting, tell us.",
    )


def _is_google_url(url: str) -> bool:
    parts = _plain_parts(url)
    if parts is None or parts[0] != "https" or parts[2] not in (None, 443):
        return False
    host = parts[1].removesuffix(".")
    return host == _GOOGLE or host.endswith(f".{_GOOGLE}")


def _is_loopback_url(url: str) -> bool:
    parts = _plain_parts(url)
    if parts is None or parts[0] not in ("http", "https"):
        return False
    if parts[1] == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts[1]).is_loopback
    except ValueError:
        return False


def _plain_parts(url: str) -> tuple[str, str, int | None] | None:
    """(scheme, host, port); None where parsers could disagree about the host: user info, backslash, space, control, a
    letter beyond ASCII in it (one parser makes Ⅽ a c, another refuses it)."""
    if re.search(r"[\\\s\x00-\x1f\x7f]", url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # a port that is no number, a broken IPv6 address
        return None
    if not parts.hostname or "@" in parts.netloc or not parts.netloc.isascii():
        return None
    return parts.scheme.lower(), parts.hostname.lower(), port
