"""Tells which run is better: the yardstick, comparisons with their uncertainty, sweeps, cloze suites."""
