"""Azure Pipelines: issues, variables and the task's result as logging commands; the summary as a file the agent attaches."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ci_runner import text
from ci_runner.model.ci import Annotation, Status
from ci_runner.platforms import facts
from ci_runner.platforms.files import named
from ci_runner.platforms.plain import Plain

# https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
_LEVELS = {"error": "error", "warning": "warning"}
_OUTPUT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Task(Plain, frozen=True):
    """The outlets of one task. ``sources`` is the checkout and ``temporary`` a folder that outlives the task, both as the agent sees them."""

    random: Callable[[], str] = lambda: ""
    sources: str | None = None
    temporary: str | None = None
    name: str = "azure"

    def annotate(self, annotations: Sequence[Annotation], status: Status | None = None) -> tuple[str, ...]:  # noqa: ARG002
        """An issue for each error and warning, worst first; Azure has no lower kind, so notices stay in log and summary."""
        for level in _LEVELS:
            for each in annotations:
                if each.level == level:
                    self._issue(each)
        return ()

    def _issue(self, annotation: Annotation) -> None:
        file = annotation.file
        properties = {
            "type": _LEVELS[annotation.level],
            "sourcepath": f"{self.sources}/{file}" if file and self.sources else file,
            "linenumber": annotation.line,
            "columnnumber": annotation.column if annotation.line else None,
        }
        title = f"{annotation.title}: " if annotation.title else ""
        self._command("task.logissue", properties, title + annotation.message)

    def summarise(self, markdown: str) -> tuple[str, ...]:
        """Attach the report to the run's page."""
        if self.temporary is None:
            return ("summary not attached: AGENT_TEMPDIRECTORY is not set; run Pilotage in a step of Azure Pipelines",)
        path = Path(self.temporary) / f"pilotage-{self.random()}.md"
        try:
            path.write_bytes(markdown.encode(errors="replace"))
        except OSError as error:
            return (f"summary not attached: {path} cannot be written: {error.strerror or error}",)
        self._command("task.uploadsummary", {}, str(path))
        return ()

    def output(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Each value as a variable of the job (``PILOTAGE_VERDICT``) and as an output of the step (``verdict``); warnings colour the step."""
        fit, lost = named(values)
        for name, value in fit.items():
            self._command("task.setvariable", {"variable": name}, value)
            own = name.removeprefix("PILOTAGE_").lower()
            self._command("task.setvariable", {"variable": own, "isOutput": "true"}, value)
        if values.get("verdict") == "warn":
            self._command("task.complete", {"result": "SucceededWithIssues"}, "")
        return lost

    def _command(self, name: str, properties: Mapping[str, object], data: str) -> None:
        given = "".join(f"{key}={_property(str(value))};" for key, value in properties.items() if value is not None)
        self.write(f"##vso[{name}{' ' + given if given else ''}]{_data(text.visible(data))}\n")


def outlets(env: Mapping[str, str], write: Callable[[str], None], random: Callable[[], str]) -> Task:
    """The outlets of the task this environment belongs to."""
    sources = facts.text(env, "BUILD_SOURCESDIRECTORY", "SYSTEM_DEFAULTWORKINGDIRECTORY")
    return Task(write, random=random, sources=sources, temporary=facts.text(env, "AGENT_TEMPDIRECTORY"))


def _data(value: str) -> str:
    return value.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(text.visible(value)).replace("]", "%5D").replace(";", "%3B")
