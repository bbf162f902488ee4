"""Judges the operations of changed migration files: rules over values, suppression, policy, evidence, suggestions."""

from __future__ import annotations

from ci_runner.lint import baseline
from ci_runner.lint.context import Context, File, quoted
from ci_runner.lint.document import Document, Example, document
from ci_runner.lint.fixes import combined
from ci_runner.lint.own import own
from ci_runner.lint.policy import Policy, names, policy, settable
from ci_runner.lint.review import NO_SIZES, LintFile, catalogue, explain, lint
from ci_runner.lint.rule import Edit, Fix, Hit, Rule, rule

__all__ = [
    "NO_SIZES",
    "Context",
    "Document",
    "Edit",
    "Example",
    "File",
    "Fix",
    "Hit",
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
    "own",
    "policy",
    "quoted",
    "rule",
    "settable",
]
