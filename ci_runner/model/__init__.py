"""The frozen values that stations hand to one another."""
