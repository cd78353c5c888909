"""Revisions of trigger's schema."""
