"""Where the project lives: the owner and image names that wrappers, links and documents are built from."""

from __future__ import annotations

OWNER = "pilotage-ci"
REPOSITORY = f"{OWNER}/pilotage"
HOMEPAGE = f"https://github.com/{REPOSITORY}"
IMAGE = f"ghcr.io/{REPOSITORY}"
