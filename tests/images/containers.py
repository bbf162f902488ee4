"""The container engine for tests: found or started, images built once a machine, containers that never outlive their maker."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import missing
from tests.images.processes import START_LIMIT, one_builder, stop

HERE = Path(__file__).resolve().parent
LABEL = "tests-images"
MAKER = "pilotage.test.process"  # the label of containers with the process that will remove them


def engine_answers() -> bool:
    if not shutil.which("docker"):
        return False
    return subprocess.run(["docker", "version"], capture_output=True, check=False, timeout=30).returncode == 0


@contextmanager
def engine_process() -> Iterator[None]:
    """The container engine that is here, or one started for these tests where that can be."""
    if engine_answers():
        yield
        return
    if not shutil.which("dockerd") or os.geteuid() != 0:
        missing("container engine", "install Docker and start it, or run the tests as root with dockerd installed")
    folder = Path(tempfile.mkdtemp(prefix="pilotage-docker-"))
    place = f"unix://{folder}/docker.sock"
    with (folder / "log").open("wb") as log:
        command = [
            "dockerd",
            "--data-root",
            str(folder / "data"),
            "--exec-root",
            str(folder / "exec"),
            "-H",
            place,
            "-p",
            str(folder / "pid"),
        ]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    before = os.environ.get("DOCKER_HOST")
    os.environ["DOCKER_HOST"] = place
    try:
        end = time.monotonic() + START_LIMIT
        while not engine_answers():
            if process.poll() is not None or time.monotonic() > end:
                missing(
                    "container engine",
                    f"dockerd does not start here: {(folder / 'log').read_text(errors='replace')[-2000:]}",
                )
            time.sleep(0.1)
        yield
    finally:
        os.environ.pop("DOCKER_HOST")
        if before is not None:
            os.environ["DOCKER_HOST"] = before
        stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def build(tag: str, command: list[str]) -> str:
    """The image ``tag``: the one that is here, else built by a script of this folder."""
    with one_builder():
        if subprocess.run(["docker", "image", "inspect", tag], capture_output=True, check=False).returncode:
            done = subprocess.run([str(HERE / command[0]), *command[1:]], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-4000:]
    return tag


@contextmanager
def container_process(image: str, port: int, variables: dict[str, str], *more: str) -> Iterator[int]:
    """A container of a test image, run with ``more`` options; the port it answers at here."""
    remove_orphans()
    options = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    command = [
        "docker",
        "run",
        "--detach",
        "--label",
        f"pilotage.test={LABEL}",
        "--label",
        f"{MAKER}={os.getpid()}",
        "--publish",
        f"127.0.0.1::{port}",
        *options,
        *more,
        image,
    ]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    try:
        listed = subprocess.run(["docker", "port", name, str(port)], capture_output=True, text=True, check=True).stdout
        yield int(listed.rpartition(":")[2])
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True, check=False)


def remove_orphans() -> None:
    """Containers of test runs that were killed: those whose maker is no process any more."""
    listed = subprocess.run(
        ["docker", "ps", "-a", "--filter", f"label={MAKER}", "--format", '{{.ID}} {{.Label "' + MAKER + '"}}'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name, maker in (line.split() for line in listed.splitlines()):
        if not Path(f"/proc/{maker}").exists():
            subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True, check=False)
