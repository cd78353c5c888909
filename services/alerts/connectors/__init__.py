"""Helpdesks in which cases are kept in step: one file each, no database."""
