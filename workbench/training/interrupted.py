"""The exception for a requested stop."""


class Interrupted(Exception):
    """A phase was stopped before its end; its results are discarded."""
