"""The bench of the SCM contract: a fresh fake for each test."""

from tests.scm.conftest import bench

__all__ = ["bench"]
