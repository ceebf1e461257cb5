"""Alembic's entry: runs the steps on the connection that smtpy.store.migrate hands over, in its transaction."""

from alembic import context

from smtpy.store import accounts, checks, events, records, schema, tallies
from smtpy.store.columns import Base

MODELS = (schema, records, checks, events, accounts, tallies)  # imported so that Base knows their tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
