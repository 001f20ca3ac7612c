"""Alembic's entry: runs on the connection that `xlsms_service.ledger.migration` hands over."""

from alembic import context

from xlsms_service.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
