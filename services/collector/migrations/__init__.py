"""The collector's schema, one alembic branch."""
