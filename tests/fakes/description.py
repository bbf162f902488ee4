"""A vendor's API description put to work: it fills in what a fake leaves out, and checks each request and each response."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

SHARED = Path(__file__).resolve().parents[3] / "shared" / "api"
PLAIN = {"integer": 1, "number": 1.0, "boolean": False, "array": [], "object": {}}
FORMATS = {"date-time": "2026-01-05T09:00:00Z", "email": "a@example.org", "date": "2026-01-05"}


def _over(sample: Any, values: Any) -> Any:
    """Values over a sample, object by object, without sharing anything with it."""
    if isinstance(sample, dict) and isinstance(values, dict):
        return {name: _over(sample.get(name), values.get(name, sample.get(name))) for name in {**sample, **values}}
    return json.loads(json.dumps(values))


class Description:
    """An OpenAPI file, or nothing where the folder of descriptions is absent: then objects stay small and nothing is checked."""

    def __init__(self, name: str, server: str):
        path = SHARED / name
        self.server = server
        self.spec: dict[str, Any] | None = json.loads(path.read_text()) if path.is_file() else None
        self._api: Any = None
        self._samples: dict[str, dict[str, Any]] = {}

    def sample(self, schema: str, **values: Any) -> dict[str, Any]:
        """An object of a schema of the description: required properties filled in, ``values`` over them."""
        if self.spec is None:
            return values
        if schema not in self._samples:
            self._samples[schema] = self._fill({"$ref": f"#/components/schemas/{schema}"})
        made: dict[str, Any] = _over(self._samples[schema], values)
        return made

    def _fill(self, schema: dict[str, Any]) -> Any:
        if "$ref" in schema:
            node: Any = self.spec
            for part in schema["$ref"].removeprefix("#/").split("/"):
                node = node[part.replace("~1", "/")]
            return self._fill(node)
        if schema.get("nullable") and "oneOf" not in schema and "anyOf" not in schema:
            return None
        if "allOf" in schema:
            merged: dict[str, Any] = {}
            for part in schema["allOf"]:
                merged |= self._fill(part) or {}
            return merged
        for choice in ("oneOf", "anyOf"):
            if choice in schema:
                made = (self._fill(each) for each in schema[choice])
                return next((each for each in made if each is not None), None)
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if kind == "object":
            return {name: self._fill(schema["properties"][name]) for name in schema.get("required", ())}
        if kind == "string":
            form = schema.get("format", "")
            return FORMATS.get(form) or ("https://example.org/" if form.startswith("uri") else "x")
        return PLAIN[kind]

    def problems(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Any:
        """A request to be checked; returns (request, what is wrong with it or None)."""
        from openapi_core.testing import MockRequest

        args = dict(parse_qsl(query))
        request = MockRequest(
            self.server,
            method.lower(),
            path,
            args=args,
            headers=headers,
            data=body or None,
            content_type=headers.get("content-type", "application/json").partition(";")[0],
        )
        return request, self._checked(lambda api: api.validate_request(request))

    def response_problem(self, request: Any, status: int, body: bytes) -> str | None:
        """What is wrong with an answer to that request, or None."""
        from openapi_core.testing import MockResponse

        answer = MockResponse(data=body, status_code=status, content_type="application/json")
        return self._checked(lambda api: api.validate_response(request, answer))

    def _checked(self, check: Any) -> str | None:
        from openapi_core import OpenAPI
        from openapi_core.exceptions import OpenAPIError
        from openapi_core.templating.responses.exceptions import ResponseNotFound

        if self._api is None:
            self._api = OpenAPI.from_dict(self.spec or {})
        try:
            check(self._api)
        except ResponseNotFound:
            return None  # a refusal the description does not list
        except OpenAPIError as error:
            causes = getattr(error.__cause__, "schema_errors", None) or [error.__cause__ or error]
            return "; ".join(str(getattr(each, "message", each))[-300:] for each in list(causes)[:5])
        return None
