"""Alembic revisions of the schema `scoring`."""
