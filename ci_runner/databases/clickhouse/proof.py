"""What is proven of ClickHouse's door."""

from ci_runner.databases.proofs import Proof

PROOFS = (
    Proof(
        "ClickHouse 26.9 (chdb)",
        "embedded: replay, a kept base, mutations and rewritten parts, schema, confinement",
        "HTTP interface, containers, a kept base and deploying: a front of our own over the same engine, in an image tagged like the official one",
        "the server itself: accounts and their rights, ON CLUSTER, Replicated engines, older versions such as 23.11",
    ),
)
