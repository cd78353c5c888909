"""The collector: what did they really say?

It decides whether something that came in is an answer, whether a person or a mail scanner made it, and when
it may count. Owns the schema `collector` (surveys, observations, answers, responses, settling). Reads
surveys, deliveries and the directory; emits `response.*`.
"""
