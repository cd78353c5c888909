"""Every SQL statement of trigger. Set-based; takes and returns domain values, decides nothing."""
