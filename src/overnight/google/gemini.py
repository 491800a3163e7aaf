"""One request at a time: generateContent and countTokens, for the pilot and for estimates."""

from typing import Final

import orjson

from overnight.errors import UnavailableError, UsageError
from overnight.google.batch_jobs import API, model_resource
from overnight.google.endpoints import Endpoints
from overnight.google.http import Http, Json

GENERATE_TIMEOUT_S: Final = 600.0
"""A model that thinks hard is silent for minutes before its first byte."""

_COUNTED: Final = ("contents", "systemInstruction", "tools", "generationConfig")


class Gemini:
    """Models of one project and location. Raises as Http does."""

    def __init__(self, endpoints: Endpoints, http: Http, project: str, location: str) -> None:
        self._http = http
        self._parent = f"{endpoints.vertex(location)}/{API}/projects/{project}/locations/{location}"

    def generate(self, model: str, request: bytes) -> Json:
        """request: the JSON of a GenerateContentRequest. Sent once: a second answer is paid too."""
        return self._http.post_once(self._url(model, "generateContent"), request, timeout_s=GENERATE_TIMEOUT_S)

    def count_tokens(self, model: str, request: bytes) -> int:
        """Tokens of the input, free of charge. request: as for `generate`; what countTokens knows not is left out."""
        data = orjson.loads(request)
        body = {key: data[key] for key in _COUNTED if key in data}
        reply = self._http.post_again(self._url(model, "countTokens"), body)
        total = reply.get("totalTokens")
        if isinstance(total, bool) or not isinstance(total, int):
            raise UnavailableError(f"the reply holds no totalTokens: {str(reply)[:200]}", where=model)
        return total

    def _url(self, model: str, verb: str) -> str:
        resource = model_resource(model)
        if not resource.startswith("publishers/"):
            raise UsageError(f"{model!r} is no published model", hint="Write the plain id, such as gemini-3.8-flash.")
        return f"{self._parent}/{resource}:{verb}"
