"""What an account may do in a project. Asked of Cloud Resource Manager, an API of its own that is often turned off."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from overnight.google.endpoints import Endpoints
from overnight.google.http import Http

_HOST: Final = "https://cloudresourcemanager.googleapis.com"


class Projects:
    """Raises as Http does."""

    def __init__(self, endpoints: Endpoints, http: Http) -> None:
        self._http = http
        self._base = endpoints.local_base or _HOST

    def granted(self, project: str, permissions: Iterable[str]) -> frozenset[str]:
        """Those of `permissions` that this account holds on the project. Reads only."""
        url = f"{self._base}/v3/projects/{quote(project, safe='')}:testIamPermissions"
        held = self._http.post_again(url, {"permissions": list(permissions)}).get("permissions")
        return frozenset(str(one) for one in held) if isinstance(held, list) else frozenset()
