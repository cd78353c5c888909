"""A simulated company that lives with Afterword for 90 days.

Everything here is an outside client of the product: its backends speak Kafka and call webhooks, its
customers read real mails and answer on real pages, a mail gateway opens every link, and its reps work in the
real inbox.
"""
