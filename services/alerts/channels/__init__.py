"""Ways to tell a rep: one file per medium, no database. All pass `tests/contract/test_notices.py`."""
