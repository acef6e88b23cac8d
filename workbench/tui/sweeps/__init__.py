"""The list of sweeps, and one sweep with its map."""
