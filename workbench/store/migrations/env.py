"""Run by Alembic: migrate on the connection that the store hands over."""

from alembic import context
from sqlmodel import SQLModel

from workbench.store import tables  # noqa: F401  (its classes fill the metadata)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=False,  # the caller's transaction holds it all
)
context.run_migrations()
