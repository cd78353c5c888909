"""Scoring: what do the answers add up to?

Owns answer facts, asks and two kinds of cells. Reads responses, surveys, deliveries, programmes and the
directory; emits `score.changed` for each headline (metric, family, programme).
"""
