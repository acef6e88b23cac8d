"""Which run is really better: the yardstick, comparisons with their uncertainty, sweeps."""
