"""`python -m services.cli` is the `afterword` command."""

from services.cli.main import app

app(prog_name="afterword")
