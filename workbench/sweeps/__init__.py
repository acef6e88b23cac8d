"""Runs planned together: grids, searches, and the scheduler that starts them."""
