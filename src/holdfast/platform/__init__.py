"""What every part stands on: database, cache, settings, telemetry, outbox, jobs."""
