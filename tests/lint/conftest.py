"""The server the rules are held to."""

from tests.devdb.opening import connection

__all__ = ["connection"]
