"""What is proven of SQL Server's door."""

from ci_runner.databases.proofs import Proof

PROOFS = (
    Proof(
        "SQL Server 2022",
        stand_in="syntax, of a replay and of all T-SQL here: Microsoft's grammar (ScriptDom, by maxdop); rows and messages as documented",
        documents="everything on a server: python-tds, deploying, the container, rights, locks, clean-up",
    ),
)
