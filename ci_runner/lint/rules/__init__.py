"""The hazard catalogue: one file per rule, found by its name."""
