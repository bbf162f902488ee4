"""Builds the image from the Dockerfile as it is, on a stand-in for python:slim made of Debian packages, since nothing can be pulled here."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEBROOT = ROOT / "tests" / "images" / "debroot.sh"
# Enough for a RUN line, for the runner of a job, and for pip: what python:slim has and the build uses.
PACKAGES = (
    "base-passwd",
    "dash",
    "bash",
    "coreutils",
    "sed",
    "grep",
    "tar",
    "gzip",
    "ca-certificates",
    "git",
    "python3-venv",
)
LOCKED = ("requirements/build.txt", "requirements/image.txt")
STANDIN = """\
FROM scratch
COPY root/ /
COPY wheels /wheels
LABEL pilotage.test=image
ENV PATH=/usr/local/bin:/usr/bin:/bin PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels
"""


def lacking() -> tuple[str, str] | None:
    """What is missing for building images, and how to get it; None when nothing is."""
    if shutil.which("docker") is None:
        return "Docker", "apt-get install docker.io"
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        return "a running Docker daemon", "start dockerd"
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return "Debian's package tools, which make the stand-in base image", "run on Debian"
    return None


def standin() -> str:
    """Name of the stand-in base image; built when there is none for these requirements."""
    name = "pilotage-test/base:" + _digest([ROOT / path for path in LOCKED] + [DEBROOT], *PACKAGES, STANDIN)
    with _alone("base"):
        if not _exists(name):
            with tempfile.TemporaryDirectory() as folder:
                _build_standin(Path(folder), name)
    return name


def _build_standin(folder: Path, name: str) -> None:
    _run(str(DEBROOT), str(folder / "root"), "bookworm", *PACKAGES)
    root = folder / "root"
    (root / "usr" / "bin" / "python").symlink_to("python3")
    for table in ("passwd", "group"):  # what the package's installation would do
        shutil.copy(root / "usr" / "share" / "base-passwd" / f"{table}.master", root / "etc" / table)
    for path in LOCKED:
        wanted = ("--require-hashes", "--only-binary", ":all:", "--python-version", "3.11", "-r", str(ROOT / path))
        _run(sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder / "wheels"), *wanted)
    (folder / "Dockerfile").write_text(STANDIN)
    _run("docker", "build", "--quiet", "--tag", name, str(folder))


def pilotage() -> str:
    """Name of the image of the checkout; built when there is none for these sources."""
    base = standin()
    sources = [
        path for folder in ("ci_runner", "templates", "requirements") for path in sorted((ROOT / folder).rglob("*"))
    ]
    names = ("Dockerfile", ".dockerignore", "pyproject.toml", "README.md", "LICENSE", "scripts/prune.py")
    single = [ROOT / name for name in names]
    name = "pilotage-test/pilotage:" + _digest(
        [path for path in (*sources, *single) if "__pycache__" not in path.parts], base
    )
    with _alone("pilotage"):
        if not _exists(name):
            _run(
                "docker",
                "build",
                "--quiet",
                "--label",
                "pilotage.test=image",
                "--build-arg",
                f"PYTHON_IMAGE={base}",
                "--tag",
                name,
                str(ROOT),
            )
            _forget_others(name)
    return name


def _forget_others(name: str) -> None:
    """Remove images of earlier sources; one that is in use stays."""
    listed = subprocess.run(
        ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", name.partition(":")[0]],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    for other in set(listed) - {name}:
        subprocess.run(["docker", "rmi", other], capture_output=True, check=False)


def _exists(name: str) -> bool:
    return subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False).returncode == 0


def _digest(paths: Iterable[Path], *words: str) -> str:
    running = hashlib.sha256("\0".join(words).encode())
    for path in paths:
        if path.is_file():
            running.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return running.hexdigest()[:12]


@contextmanager
def _alone(what: str) -> Iterator[None]:
    """Only one test process builds an image; the others wait for it."""
    with (Path(tempfile.gettempdir()) / f"pilotage-test-{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(*command: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{' '.join(command[:4])} … ended with {done.returncode}:\n{done.stdout[-3000:]}")
