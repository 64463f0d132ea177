"""Numbered SQL, and ``schema.sql``, the readable whole that it adds up to."""
