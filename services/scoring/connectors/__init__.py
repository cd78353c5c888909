"""CRMs that scores are written to: one file each, no database."""
