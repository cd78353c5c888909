"""The log between services: one port, Kafka behind it, and a memory log held to the same suite.

`port` says what is promised, `kafka` and its helpers are the only importers of aiokafka, `memory` is a
deterministic log for tests and simulations. Nothing here knows events: a record is bytes with headers.
"""
