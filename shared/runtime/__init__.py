"""What a service stands on: time, ids, consumer, inbox, outbox, loops, failpoints, logs, metrics, probes."""
