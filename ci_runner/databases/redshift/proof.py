"""What is proven of Redshift's door."""

from ci_runner.databases.proofs import Proof

PROOFS = (
    Proof(
        "Redshift",
        stand_in="PostgreSQL: replay after known clauses are removed, sessions through psycopg, lock and clean-up of a database one names, deploying",
        documents="everything on a cluster; redshift-connector; svv_ views; what the removed clauses do",
    ),
)
