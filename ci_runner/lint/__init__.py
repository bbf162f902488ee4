"""Judges the operations of changed migration files: rules over values, suppression, policy, evidence, suggestions."""

from __future__ import annotations

from ci_runner.lint import baseline
from ci_runner.lint.document import Document, Example, document
from ci_runner.lint.fixes import combined
from ci_runner.lint.policy import Policy, names, policy
from ci_runner.lint.review import LintFile, catalogue, explain, lint
from ci_runner.lint.rule import Rule, rule

__all__ = [
    "Document",
    "Example",
    "LintFile",
    "Policy",
    "Rule",
    "baseline",
    "catalogue",
    "combined",
    "document",
    "explain",
    "lint",
    "names",
    "policy",
    "rule",
]
