"""The operator's commands, and the composition root of every process."""
