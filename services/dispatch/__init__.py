"""Dispatch decides how a message reaches one person, once.

Owns messages, their attempts, opt-outs and dead addresses. Takes in surveys, messages, responses, the
directory and the state of programmes; tells the deliveries and who unsubscribed.
"""
