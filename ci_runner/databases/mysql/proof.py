"""What is proven of the door of MySQL and MariaDB."""

from ci_runner.databases.proofs import Proof

PROOFS = (
    Proof(
        "MySQL 9 (Debian sid)",
        "direct URL, in a container, replay, a kept base, algorithms and locks, rights, deploying",
        "its image is built from Debian packages, with an entry point like the official one's",
        "the official image itself",
    ),
    Proof(
        "MySQL 8", stand_in="MySQL 9 under the tag 8", documents="what 8 does otherwise than 9; mysql_native_password"
    ),
    Proof(
        "MariaDB 10.11 (Debian)",
        "direct URL, in a container, replay, a kept base, algorithms and locks, rights, deploying",
        "its image is built from Debian packages, with an entry point like the official one's",
        "the official image itself, newer versions",
    ),
)
