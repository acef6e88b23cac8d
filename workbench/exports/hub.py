"""A run's model to a repository on the hub."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import UsageError, WorkbenchError
from workbench.exports.model_folder import checkpoint_of, export_run
from workbench.private import without_secrets
from workbench.store import Run, Store
from workbench.text import printable

_LOG_IN = "Log in with `hf auth login`, or set HF_TOKEN to a token that may write."


def push_run(
    store: Store, run: Run, repository: str, *, checkpoint: int | str | None = None, private: bool = False
) -> str:
    """Export a run and upload it, in one commit; its address. The repository is made if there is none.

    Raises UsageError for a name that no repository can have, ModelError for a checkpoint that cannot be
    exported, WorkbenchError when the hub refuses or is out of reach. What was there is left as it was then.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        raise UsageError(
            f"{printable(repository)!r} cannot be a repository's name.", "Write OWNER/NAME."
        ) from error
    api = HfApi(library_name="mlm-workbench")
    checkpoint_of(store, run, checkpoint)  # one that there is not must leave no empty repository behind
    with _explaining(repository):  # a hub that refuses does so before a model is written
        made = api.create_repo(repository, private=private or None, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mlm-workbench-") as temporary:
        folder = Path(temporary) / "model"
        saved = export_run(store, run, folder, checkpoint=checkpoint)
        with _explaining(repository):
            api.upload_folder(
                repo_id=made.repo_id,
                folder_path=folder,
                commit_message=f"Step {saved.step} of a training with mlm-workbench",
            )
    return str(made)


@contextmanager
def _explaining(repository: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # of any of the client's layers: HTTP, sockets, its own checks
        raise explained(error, repository) from error


def explained(error: Exception, repository: str) -> WorkbenchError:
    """The client's error in a person's words."""
    from huggingface_hub.errors import LocalTokenNotFoundError, OfflineModeIsEnabled

    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    name = printable(repository)
    if isinstance(error, LocalTokenNotFoundError) or status == 401:
        return WorkbenchError(f"The hub does not know who you are, and did not take {name}.", _LOG_IN)
    if status == 403:
        return WorkbenchError(
            f"The hub does not let you write to {name}.",
            "Take a token with the right to write, and an owner that is you or a group of yours.",
        )
    if status == 404:
        return WorkbenchError(f"The hub has no place for {name}.", "Is the owner's name right?")
    if isinstance(error, OfflineModeIsEnabled):
        return WorkbenchError("The hub is not to be asked: HF_HUB_OFFLINE is set.", "Unset it to push.")
    said = (without_secrets(str(error)).strip() or type(error).__name__).splitlines()[0]
    if status is not None:
        return WorkbenchError(f"The hub refused {name} ({status}): {printable(said)}", "Try again later.")
    return WorkbenchError(
        f"{name} could not be uploaded: {printable(said)}", "Is the hub within reach (HF_ENDPOINT, a proxy)?"
    )
