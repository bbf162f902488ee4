"""What is proven of PostgreSQL's door."""

from ci_runner.databases.proofs import Proof

PROOFS = (
    Proof("PostgreSQL 18 (wheel)", "embedded, direct URL, replay, observations, rights, clean-up, deploying"),
    Proof(
        "PostgreSQL 15 (Debian)",
        "in a container, replay, rights",
        "its image is built from Debian's programs, with an entry point like the official one's",
        "the official image itself",
    ),
    Proof(
        "PostgreSQL 14, 16, 17 (npm)",
        "embedded: replay, observations, rights, a kept base",
        documents="deploying: the same code",
    ),
    Proof("PostgreSQL 10 to 13", documents="the same code"),
    Proof("PostGIS and pgvector images", documents="URL and variables; the extensions in them"),
)
