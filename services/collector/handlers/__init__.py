"""What the collector does with events and with answers."""
