"""Many runs planned together: grids, searches, and the process that starts them one after another."""
