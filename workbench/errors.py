"""Errors that speak to the person at the keyboard: what was wrong, where, and what to do."""


class WorkbenchError(Exception):
    """Something the user can act on. `message` says what and where, `hint` what to do about it.

    `exit_code` is what the command line ends with: 1 it failed, 2 bad usage.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint


class UsageError(WorkbenchError):
    """The request itself is wrong: a flag, a recipe value, a reference to no run."""

    exit_code = 2


class CorpusError(WorkbenchError):
    """The text cannot be read, or is not enough to train on."""


class ModelError(WorkbenchError):
    """The model or its tokenizer cannot be found, or is not fit for masked language modelling."""


class TrainingError(WorkbenchError):
    """Training cannot go on."""


class PeerError(TrainingError):
    """Another process of the run failed, and tells of it itself, or is gone."""


class StoreError(WorkbenchError):
    """The database cannot be opened or does not hold what was asked for."""
