"""Every statement of the alerts service, by what it is about. Set-based; nothing is decided here."""
