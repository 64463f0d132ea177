"""What happens after the answer: events to jobs, jobs to workflows, timers."""
