"""Bitbucket Pipelines: findings as a Code Insights report on the commit, outputs as files that later steps read."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ci_runner import text
from ci_runner.http import Answer, HttpError, Limits, Patience, Web, authorization, json_only, web
from ci_runner.model.ci import Annotation, Status, Trigger
from ci_runner.platforms import facts, files
from ci_runner.platforms.plain import Plain

# Beside each step runs a proxy that signs requests for the step's repository: from a step, and from a pipe's container.
# https://support.atlassian.com/bitbucket-cloud/docs/code-insights/#Authentication
PROXIES = ("http://localhost:29418", "http://host.docker.internal:29418")
API = "api.bitbucket.org/2.0"
ANNOTATIONS, BATCH = 1000, 100
SUMMARY, DETAILS = 450, 2000

_ORDER = {"error": 0, "warning": 1, "notice": 2}
SEVERITY = {"error": "HIGH", "warning": "MEDIUM", "notice": "LOW"}
Row = dict[str, Any]


class Step(Plain, frozen=True):
    """The outlets of one step. ``proxies`` are tried in turn, then the API with ``token``; ``variables`` and ``clone`` are paths."""

    repository: str | None = None
    commit: str | None = None
    proxies: tuple[str, ...] = PROXIES
    api: str = f"https://{API}"
    token: str | None = None
    variables: str | None = None
    clone: str | None = None
    name: str = "bitbucket"

    def annotate(self, annotations: Sequence[Annotation], status: Status | None = None) -> tuple[str, ...]:
        """A report with one annotation a finding, the worst thousand; the last run on a commit replaces those before it."""
        if status is None:
            return ()
        if not (self.repository and self.commit):
            return ("Code Insights report not posted: BITBUCKET_REPO_FULL_NAME or BITBUCKET_COMMIT is not set",)
        slug = key(status.context)
        path = f"/repositories/{self.repository}/commit/{self.commit}/reports/{slug}"
        reasons: list[str] = []
        for root, headers, client in self._ways():
            try:
                _post(client, root + path, headers, _report(annotations, status), _rows(annotations, slug))
            except (HttpError, RefusedError) as error:
                reasons.append(str(error))
                continue
            finally:
                client.client.close()
            return ()
        hint = "; it needs the proxy of a step of Bitbucket Pipelines, or a token with scope repository:write"
        return (f"Code Insights report not posted: {'; '.join(dict.fromkeys(reasons))}{hint}",)

    def _ways(self) -> Iterator[tuple[str, Mapping[str, str], Web]]:
        quick = Limits(connect=3, attempts=1)
        for proxy in self.proxies:
            yield f"http://{API}", {}, web(quick, Patience(5), proxy=proxy)
        if self.token:
            yield self.api, {"Authorization": authorization(self.token)}, web(Limits(attempts=2), Patience(30))

    def output(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """``PILOTAGE_NAME=value`` lines for the step's ``output-variables``, and ``.pilotage/outputs.sh`` for the same step to source."""
        fit, lost = files.named(values)
        warnings = [*lost]
        try:
            if self.variables:
                files.append(self.variables, "".join(f"{name}={value}\n" for name, value in fit.items()))
            if self.clone:
                files.write_below(self.clone, ".pilotage", "outputs.sh", files.exports(fit))
        except OSError as error:
            warnings.append(f"outputs not written to {error.filename}: {error.strerror or error}")
        if not (self.variables or self.clone):
            warnings.append(
                "outputs not written: neither BITBUCKET_PIPELINES_VARIABLES_PATH nor BITBUCKET_CLONE_DIR is set"
            )
        return tuple(warnings)


def outlets(env: Mapping[str, str], write: Callable[[str], None], random: Callable[[], str]) -> Step:  # noqa: ARG001
    """The outlets of the step this environment belongs to; PILOTAGE_BITBUCKET_PROXY names another proxy than the usual ones."""
    proxy = facts.text(env, "PILOTAGE_BITBUCKET_PROXY")
    return Step(
        write,
        repository=facts.text(env, "BITBUCKET_REPO_FULL_NAME"),
        commit=facts.sha(facts.text(env, "BITBUCKET_COMMIT")),
        proxies=(proxy,) if proxy else PROXIES,
        token=facts.token(env, "bitbucket"),
        variables=env.get("BITBUCKET_PIPELINES_VARIABLES_PATH") or None,
        clone=env.get("BITBUCKET_CLONE_DIR") or None,
    )


def elsewhere(trigger: Trigger, token: str, write: Callable[[str], None]) -> Step:
    """The report on a commit of a repository on Bitbucket that another CI system builds: by the API, with ``token``."""
    api = {"api": trigger.api_url} if trigger.api_url else {}
    return Step(write, repository=trigger.repository, commit=trigger.head_sha, proxies=(), token=token, **api)


class RefusedError(Exception):
    """An answer that says no."""


def _post(client: Web, url: str, headers: Mapping[str, str], report: Row, rows: Sequence[Row]) -> None:
    """The report anew; what an earlier run on the same commit left goes with the old one."""
    send(client, "DELETE", url, headers, None, fine=(404,))
    send(client, "PUT", url, headers, report)
    for start in range(0, len(rows), BATCH):
        send(client, "POST", f"{url}/annotations", headers, rows[start : start + BATCH])


def send(
    client: Web, method: str, url: str, headers: Mapping[str, str], body: object, fine: tuple[int, ...] = ()
) -> None:
    """One request; RefusedError for an answer that says no, HttpError where none can be used."""
    content = None if body is None else json.dumps(body).encode()
    sent = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "pilotage", **headers}
    answer = json_only(url, client.send(method, url, sent, content))
    if answer.status >= 400 and answer.status not in fine:
        raise RefusedError(f"Bitbucket answered {answer.status}: {_said(answer)}")


def _said(answer: Answer) -> str:
    try:
        data = json.loads(answer.body)
        inner = (data.get("errors") or [None])[0] if isinstance(data.get("errors"), list) else data.get("error")
        said = inner.get("message") if isinstance(inner, dict) else data.get("message")
    except (ValueError, AttributeError, RecursionError):
        said = None
    return text.line(said)[:200] if isinstance(said, str) and said else "no reason given"


def key(context: str) -> str:
    """The report's name: the same for each run of a job, and no other tool's."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", context).strip("-").lower()
    return slug if slug.startswith("pilotage") else f"pilotage-{slug}"


def told(annotations: Sequence[Annotation], status: Status) -> Row:
    """What a Code Insights report says alike in the cloud and on a server of one's own."""
    counts = Counter(each.level for each in annotations)
    return {
        "title": f"Pilotage: {status.context}" if status.context != "pilotage" else "Pilotage",
        "details": text.visible(status.description)[:DETAILS] or "Migrations were linted.",
        "reporter": "Pilotage",
        **({"link": status.url} if status.url else {}),
        "data": [
            {"title": f"{level.capitalize()}s", "type": "NUMBER", "value": counts[level]}
            for level in ("error", "warning", "notice")
        ],
    }


def _report(annotations: Sequence[Annotation], status: Status) -> Row:
    result = "PASSED" if status.state == "success" else "FAILED"
    return {**told(annotations, status), "report_type": "BUG", "result": result}


def worst(annotations: Sequence[Annotation]) -> list[Annotation]:
    """As many as a report takes, the gravest first."""
    return sorted(annotations, key=lambda each: _ORDER[each.level])[:ANNOTATIONS]


def _rows(annotations: Sequence[Annotation], name: str) -> list[Row]:
    return [_row(each, f"{name}-{number:04}") for number, each in enumerate(worst(annotations), 1)]


def _row(annotation: Annotation, external: str) -> Row:
    said = text.visible(annotation.message).strip() or annotation.title or "finding"
    first, _, rest = said.partition("\n")
    summary = f"{annotation.title}: {first}" if annotation.title and annotation.title not in first else first
    place = {"path": annotation.file} if annotation.file else {}
    return {
        "external_id": external,
        "annotation_type": "BUG" if annotation.level == "error" else "CODE_SMELL",
        "severity": SEVERITY[annotation.level],
        "summary": summary if len(summary) <= SUMMARY else summary[: SUMMARY - 1] + "…",
        **({"details": rest.strip()[:DETAILS]} if rest.strip() else {}),
        **place,
        **({"line": annotation.line} if place and annotation.line else {}),
    }
