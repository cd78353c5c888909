"""What one machine needs and pip brings: PostgreSQL, a Kafka-protocol broker in memory, and a mail sink.

Each is a process of its own that outlives whoever started it; the next start takes it over, found by the
state file in the data directory (`.afterword/` by default). `stack.stop_all` ends them.
"""
