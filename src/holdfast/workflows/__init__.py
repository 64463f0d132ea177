"""One function for each thing a client can ask to be done.

A workflow is the only place that opens a write transaction, and the only place
where two domain modules meet.
"""
