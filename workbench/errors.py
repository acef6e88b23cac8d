"""Errors for the user: what is wrong, where, and what to do."""


class WorkbenchError(Exception):
    """An error that the user can act on. `message` says what and where, `hint` what to do.

    `exit_code` of the command line: 1 for a failure, 2 for bad usage.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint


class UsageError(WorkbenchError):
    """The request is wrong: a flag, a recipe value, a reference to an unknown run."""

    exit_code = 2


class CorpusError(WorkbenchError):
    """The text cannot be read, or is too short to train on."""


class ModelError(WorkbenchError):
    """The model or its tokenizer is missing, or not suitable for masked language modelling."""


class TrainingError(WorkbenchError):
    """Training cannot continue."""


class PeerError(TrainingError):
    """Another process of the run failed, and tells of it itself, or is gone."""


class StoreError(WorkbenchError):
    """The database cannot be opened, or lacks what was requested."""
