"""Where a run runs: on this machine, or as a job of a cluster's scheduler."""
