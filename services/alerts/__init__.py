"""Alerts: who takes care of an unhappy customer, and by when?

Owns the schema `alerts`: answers, cases, tickets, voices, timeline, timers, notices, unconfirmed, rota,
and copies of the directory. Takes `response.*`, `contact.*`, `account.changed` and `organisation.changed`;
gives `ticket.*`.
"""
