"""OUT: what matched, on its way to people.

What is sent (`webhook`) and what follows from an answer (`retry`) are pure; `outbox` does what they decide.
"""
