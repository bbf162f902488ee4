"""What a run wants to be seen: the comment, notes, annotations, summary, outputs and status, as finished text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from ci_runner import formats, publish, render, report
from ci_runner.config.names import HOMEPAGE
from ci_runner.journeys.ground import Ground
from ci_runner.model.ci import Publication, Scan, Status
from ci_runner.model.registry import Pushed
from ci_runner.model.report import Run
from ci_runner.scm import Scm, own_bitbucket

# Who says that Mermaid is shown: in comments, and in summaries of a run. Neither Bitbucket nor Azure DevOps does.
_MERMAID = frozenset({"github", "gitlab"})


def of(ground: Ground, run: Run, scm: Scm | None) -> Publication:
    """The publication of a lint run; the comment is only changed, never made, when no migration changed."""
    key, where = ground.config.name, ground.trigger.run_url or ""
    folder = Path(ground.config.templates) if ground.config.templates else None
    room = publish.room(scm, key) if scm else render.GITHUB_LIMIT
    touched = any(each.files or each.problems for each in run.reports)
    links = {"report_link": where, "links": _links(ground), "templates": folder}
    commented = "mermaid" if ground.trigger.scm in _MERMAID else ""
    summed = "mermaid" if ground.trigger.platform in _MERMAID else ""
    return Publication(
        key=key,
        comment=render.comment(run, limit=room, pictures=commented, **links) if ground.config.comment else None,  # type: ignore[arg-type]
        brief=render.brief(run, report_link=where, templates=folder),
        create=touched,
        notes=render.notes(run, templates=folder),
        annotations=render.annotations(run),
        summary=render.summary(run, pictures=summed, **links),  # type: ignore[arg-type]
        outputs={**report.outputs(run), "report_path": _json_report(ground)},
        status=_status(ground, run, where),
        scan=_scan(ground, run),
    )


def _scan(ground: Ground, run: Run) -> Scan | None:
    """The findings for code scanning, where that is wanted and the SCM has it: they belong to a ref there."""
    trigger = ground.trigger
    if not ground.config.code_scanning or trigger.scm != "github":
        return None
    ref = f"refs/pull/{trigger.pull_request}/head" if trigger.pull_request else f"refs/heads/{trigger.head_branch}"
    return Scan(formats.render("sarif", run), ref)


def outputs(pushed: Iterable[tuple[str, Pushed]]) -> dict[str, str]:
    """What a push hands to later steps; of several directories the values stand in one line each, in order."""
    every = [one for _, one in pushed]
    degraded = any(one.degraded for one in every)
    return {
        "seq": ",".join(str(one.seq) for one in every),
        "digest": ",".join(one.digest for one in every),
        "head": ",".join(one.head for one in every),
        "degraded": "true" if degraded else "false",
    }


def _json_report(ground: Ground) -> str:
    return next((path for form, path in ground.config.reports if form == "json"), "")


def _status(ground: Ground, run: Run, where: str) -> Status:
    state = {"pass": "success", "warn": "success", "fail": "failure"}[run.verdict]
    return Status(ground.config.name, state, report.status(run), where or HOMEPAGE)  # type: ignore[arg-type]


def _links(ground: Ground) -> Callable[[str, int, int], str] | None:
    """Addresses of lines at the head commit, where the SCM's form of them is known."""
    trigger = ground.trigger
    make = _on_datacenter if own_bitbucket(trigger) else _LINES.get(trigger.scm or "")
    if make is None or not (trigger.server_url and trigger.repository and trigger.head_sha):
        return None
    server, repository, sha = trigger.server_url.rstrip("/"), trigger.repository, trigger.head_sha
    return lambda path, first, last: make(server, repository, sha, quote(path), first, max(first, last))


def _on_github(server: str, repository: str, sha: str, path: str, first: int, last: int) -> str:
    return f"{server}/{repository}/blob/{sha}/{path}#L{first}" + (f"-L{last}" if last > first else "")


def _on_gitlab(server: str, repository: str, sha: str, path: str, first: int, last: int) -> str:
    return f"{server}/{repository}/-/blob/{sha}/{path}#L{first}" + (f"-{last}" if last > first else "")


def _on_bitbucket(server: str, repository: str, sha: str, path: str, first: int, last: int) -> str:
    return f"{server}/{repository}/src/{sha}/{path}#lines-{first}" + (f":{last}" if last > first else "")


def _on_datacenter(server: str, repository: str, sha: str, path: str, first: int, last: int) -> str:
    key, _, slug = repository.partition("/")
    lines = f"#{first}" + (f"-{last}" if last > first else "")
    return f"{server}/projects/{quote(key, safe='~')}/repos/{quote(slug)}/browse/{path}?at={sha}{lines}"


def _on_azure(server: str, repository: str, sha: str, path: str, first: int, last: int) -> str:
    project, _, name = repository.partition("/")
    lines = f"line={first}&lineEnd={last + 1}&lineStartColumn=1&lineEndColumn=1"
    return f"{server}/{quote(project)}/_git/{quote(name)}?path=/{path}&version=GC{sha}&{lines}"


_LINES: Mapping[str, Callable[[str, str, str, str, int, int], str]] = {
    "github": _on_github,
    "gitlab": _on_gitlab,
    "bitbucket": _on_bitbucket,
    "azure": _on_azure,
}
