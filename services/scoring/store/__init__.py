"""Every SQL statement of scoring: a few a batch, rows locked in key order."""
