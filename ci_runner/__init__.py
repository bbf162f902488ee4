"""Pilotage takes a directory of SQL migrations from pull request to production."""

__version__ = "0.1.0"
