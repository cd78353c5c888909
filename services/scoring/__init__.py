"""Scoring: what do the answers add up to?

Owns answer facts, asks, two kinds of cells, and copies of what explains them (accounts, people, tickets, what
happened). Reads responses, surveys, deliveries, programmes, the directory, context and tickets; emits
`score.changed` for each headline (metric, family, programme) and `score.dropped` where one fell.
"""
