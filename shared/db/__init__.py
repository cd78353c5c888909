"""Postgres: pool and unit of work, the test for transient errors, shared DDL, migrations and roles."""
