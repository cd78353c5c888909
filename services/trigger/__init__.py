"""Trigger decides who is asked what, and when.

It owns contacts, accounts, programmes, plans, asks, holds, brakes and the decision ledger; it reads
touchpoints, deliveries, responses and tickets, and announces surveys, programmes, the directory and context.
"""
