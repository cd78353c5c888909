"""Every SQL statement of the collector; set-based, deciding nothing."""
