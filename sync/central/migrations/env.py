"""Run by Alembic: how its steps meet our connection, which is inside a transaction of ours."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
