"""Where the project lives: the owner and image names that wrappers, links and documents are built from."""

OWNER = "pilotage-ci"
REPOSITORY = f"{OWNER}/pilotage"
HOMEPAGE = f"https://github.com/{REPOSITORY}"
IMAGE = f"ghcr.io/{REPOSITORY}"
DOCS = f"{HOMEPAGE}/blob/main/docs"
CONFIG_FILE = "pilotage.yml"
