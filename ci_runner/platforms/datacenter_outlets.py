"""Bitbucket Data Center, whatever CI system builds: findings as a Code Insights report on the commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import quote

from ci_runner import text
from ci_runner.http import HttpError, Limits, Patience, authorization, web
from ci_runner.model.ci import Annotation, Status, Trigger
from ci_runner.platforms.bitbucket_outlets import DETAILS, SEVERITY, RefusedError, Row, key, send, told, worst
from ci_runner.platforms.plain import Plain

SUFFIX = "/rest/api/1.0"


class Report(Plain, frozen=True):
    """Where one commit's report goes: ``root`` is the repository's address for Code Insights, ``headers`` carry the token."""

    root: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    commit: str | None = None
    name: str = "bitbucket"

    def annotate(self, annotations: Sequence[Annotation], status: Status | None = None) -> tuple[str, ...]:
        """A report with one annotation a finding, the worst thousand; the last run on a commit replaces those before it."""
        if status is None or self.commit is None:
            return ()
        slug = key(status.context)
        url = f"{self.root}/commits/{self.commit}/reports/{slug}"
        client, headers = web(Limits(attempts=2), Patience(30)), dict(self.headers)
        rows = [_row(each, f"{slug}-{number:04}") for number, each in enumerate(worst(annotations), 1)]
        try:
            send(client, "DELETE", url, headers, None, fine=(404,))
            send(client, "PUT", url, headers, _report(annotations, status))
            if rows:
                send(client, "POST", f"{url}/annotations", headers, {"annotations": rows})
        except (HttpError, RefusedError) as error:
            return (f"Code Insights report not posted: {error}; it needs an HTTP access token with repository read",)
        finally:
            client.client.close()
        return ()


def elsewhere(trigger: Trigger, token: str, write: Callable[[str], None]) -> Report:
    """The report on a commit of a repository there."""
    project, _, slug = (trigger.repository or "").partition("/")
    server = (trigger.api_url or "").rstrip("/").removesuffix(SUFFIX)
    root = f"{server}/rest/insights/1.0/projects/{quote(project, safe='~')}/repos/{quote(slug, safe='')}"
    headers = (("Authorization", authorization(token)), ("X-Atlassian-Token", "no-check"))
    return Report(write, root=root, headers=headers, commit=trigger.head_sha)


def _report(annotations: Sequence[Annotation], status: Status) -> Row:
    """https://developer.atlassian.com/server/bitbucket/how-tos/code-insights/ : six fields of data at most."""
    return {**told(annotations, status), "result": "PASS" if status.state == "success" else "FAIL"}


def _row(annotation: Annotation, external: str) -> Row:
    """An annotation without a line (0) stands on its file, one without a file on the report."""
    said = text.visible(annotation.message).strip() or annotation.title or "finding"
    first = said.partition("\n")[0]
    message = f"{annotation.title}: {said}" if annotation.title and annotation.title not in first else said
    return {
        "externalId": external,
        "type": "BUG" if annotation.level == "error" else "CODE_SMELL",
        "severity": SEVERITY[annotation.level],
        "message": message if len(message) <= DETAILS else message[: DETAILS - 1] + "…",
        **({"path": annotation.file, "line": annotation.line or 0} if annotation.file else {}),
    }
