"""The schema `alerts`, one alembic branch."""
