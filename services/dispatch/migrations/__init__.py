"""Revisions of dispatch's schema."""
