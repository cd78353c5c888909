"""The `afterword` command: the one place that sees all five services."""
