"""The workbench in a browser: a server on localhost, based on textual-serve."""
