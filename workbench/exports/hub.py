"""Uploads a run's model to a repository on the hub."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.document_hashes import FILE as DOCUMENTS
from workbench.errors import UsageError, WorkbenchError
from workbench.exports.model_folder import checkpoint_of, export_run
from workbench.private import without_secrets
from workbench.store import Run, Store
from workbench.text import printable

_LOG_IN = "Log in with `hf auth login`, or set HF_TOKEN to a token with write access."


def push_run(
    store: Store, run: Run, repository: str, *, checkpoint: int | str | None = None, private: bool = False
) -> str:
    """Export a run and upload it in one commit; returns its address. A missing repository is created.

    Raises UsageError for an invalid repository name, ModelError for a checkpoint that cannot be exported,
    WorkbenchError when the hub refuses or is unreachable; the repository is then unchanged.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        raise UsageError(
            f"{printable(repository)!r} is not a valid repository name.", "Write OWNER/NAME."
        ) from error
    api = HfApi(library_name="mlm-workbench")
    checkpoint_of(store, run, checkpoint)  # fail before an empty repository is created
    with _explaining(repository):  # let the hub refuse before the model is written
        made = api.create_repo(repository, private=private or None, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mlm-workbench-") as temporary:
        folder = Path(temporary) / "model"
        saved = export_run(store, run, folder, checkpoint=checkpoint)
        with _explaining(repository):
            api.upload_folder(
                repo_id=made.repo_id,
                folder_path=folder,
                ignore_patterns=[DOCUMENTS],  # whoever has a text could test whether it was trained on
                commit_message=f"Step {saved.step} of a training with mlm-workbench",
            )
    return str(made)


@contextmanager
def _explaining(repository: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # from any layer of the client: HTTP, sockets, its own checks
        raise explained(error, repository) from error


def explained(error: Exception, repository: str) -> WorkbenchError:
    """The client's error in plain words."""
    from huggingface_hub.errors import LocalTokenNotFoundError, OfflineModeIsEnabled

    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    name = printable(repository)
    if isinstance(error, LocalTokenNotFoundError) or status == 401:
        return WorkbenchError(f"The hub did not accept {name}: you are not logged in.", _LOG_IN)
    if status == 403:
        return WorkbenchError(
            f"You have no write access to {name}.",
            "Use a token with write access, and your own name or one of your organizations as OWNER.",
        )
    if status == 404:
        return WorkbenchError(f"The hub has no owner for {name}.", "Check the owner's name.")
    if isinstance(error, OfflineModeIsEnabled):
        return WorkbenchError("HF_HUB_OFFLINE is set, so the hub is not contacted.", "Unset it to push.")
    reason = (without_secrets(str(error)).strip() or type(error).__name__).splitlines()[0]
    if status is not None:
        return WorkbenchError(f"The hub refused {name} ({status}): {printable(reason)}", "Try again later.")
    return WorkbenchError(
        f"{name} could not be uploaded: {printable(reason)}",
        "Check that the hub is reachable (HF_ENDPOINT, a proxy).",
    )
