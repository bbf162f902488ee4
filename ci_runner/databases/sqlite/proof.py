"""What is proven of SQLite's door."""

from ci_runner.databases.proofs import Proof

PROOFS = (Proof("SQLite (Python's)", "everything", documents="other versions"),)
