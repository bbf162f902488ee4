"""What is proven of Snowflake's door."""

from ci_runner.databases.proofs import Proof

PROOFS = (
    Proof(
        "Snowflake",
        stand_in="fakesnow 0.12: the connector, simple statements, refusals, schema",
        documents="everything on an account; deploying; warehouses, roles, stages, tasks; stopping a statement",
    ),
)
