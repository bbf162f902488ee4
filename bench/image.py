"""The image: how much longer than Docker itself it takes to answer, and how large it is to pull."""

from __future__ import annotations

import os
import shutil
import subprocess

from measure import Figure, Subject, clock, in_turn

REPOSITORY = "pilotage-test/pilotage"  # what the tests of the image build; PILOTAGE_BENCH_OWN_IMAGE names another


def figures(runs: int) -> list[Figure]:
    """Every line of the section."""
    image = os.environ.get("PILOTAGE_BENCH_OWN_IMAGE") or _built()
    if image is None:
        print(f"no figures of the image: no {REPOSITORY} is here (tests/wrappers/test_image.py builds it)")
        return []
    run = ("docker", "run", "--rm", "--network", "none")
    ours = Subject((*run, image, "--version"), codes=(0,)).warm()
    bare = Subject((*run, "--entrypoint", "true", image), codes=(0,)).warm()
    in_turn(runs, ours, bare)
    more = ours.median - bare.median
    megabytes = _compressed(image) / 1e6
    return [
        Figure("start beyond Docker's own", clock(more), f"docker run true {clock(bare.median)}", more, 0.5, "s"),
        Figure("files of the image, compressed", f"{megabytes:.0f} MB", image, megabytes, 150, "MB"),
    ]


def _built() -> str | None:
    if shutil.which("docker") is None:
        return None
    words = ("docker", "images", "--format", "{{.Repository}}:{{.Tag}}", REPOSITORY)
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return next(iter(done.stdout.split()), None)


def _compressed(image: str) -> int:
    """Bytes of the image's files under gzip's usual level, which is about what a registry sends.

    Without those from which the tests' stand-in for the base installs: no real base holds them.
    """
    packed = "cd / && tar -c --one-file-system --exclude=./wheels . | gzip -6 | wc -c"
    words = ("docker", "run", "--rm", "--entrypoint", "sh", image, "-c", packed)
    return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
