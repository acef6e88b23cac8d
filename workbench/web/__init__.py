"""The workbench in a browser: a server for this machine alone, by textual-serve."""
