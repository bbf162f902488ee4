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
    Proof("PostgreSQL 13, 14, 16, 17", documents="the same code; 14 and 16 were run by hand"),
    Proof("PostGIS and pgvector images", documents="URL and variables; the extensions in them"),
)
