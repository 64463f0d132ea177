"""What the worker counts, in a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The numbers of one worker process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.relayed = Counter(
            "holdfast_worker_events_relayed",
            "Events handed on to the job queue.",
            registry=self.registry,
        )
        self.jobs = Counter(
            "holdfast_worker_jobs",
            "Attempts at jobs, by what came of them.",
            ["task", "outcome"],
            registry=self.registry,
        )
        self.job_seconds = Histogram(
            "holdfast_worker_job_seconds",
            "How long an attempt at a job took.",
            ["task"],
            registry=self.registry,
        )
        self.timer_runs = Counter(
            "holdfast_worker_timer_runs",
            "Runs of a timer on this worker.",
            ["timer"],
            registry=self.registry,
        )
        self.settled = Counter(
            "holdfast_worker_orders_settled",
            "Overdue orders settled by asking the payment provider.",
            registry=self.registry,
        )
        self.payment_discrepancies = Gauge(
            "holdfast_payment_discrepancies",
            "Open differences between the payment provider's books and ours.",
            registry=self.registry,
        )
        self.stock_drift = Gauge(
            "holdfast_inventory_drift",
            "Books of the stock that do not agree, by kind; 0 is the promise.",
            ["kind"],
            registry=self.registry,
        )
        self.stock_reservations = Gauge(
            "holdfast_inventory_reservations",
            "Reservations by whom they are for; those of holds that are overdue apart.",
            ["holder"],
            registry=self.registry,
        )
        self.holds_expired = Counter(
            "holdfast_inventory_holds_expired",
            "Overdue holds that a timer freed.",
            registry=self.registry,
        )
        self.low_stock = Counter(
            "holdfast_inventory_low_stock",
            "Times that a level fell to its low-stock threshold.",
            registry=self.registry,
        )
        self.back_in_stock = Counter(
            "holdfast_inventory_back_in_stock",
            "People who were to be told that something can be bought again.",
            registry=self.registry,
        )
        self.outbox_waiting = Gauge(
            "holdfast_outbox_waiting",
            "Events that wait to be handed on.",
            registry=self.registry,
        )
        self.outbox_oldest_seconds = Gauge(
            "holdfast_outbox_oldest_seconds",
            "Age of the oldest event that waits.",
            registry=self.registry,
        )
        self.queue_jobs = Gauge(
            "holdfast_queue_jobs",
            "Jobs in the queue, by state.",
            ["state"],
            registry=self.registry,
        )
        self.queue_oldest_seconds = Gauge(
            "holdfast_queue_oldest_seconds",
            "How long the oldest job that could run has waited.",
            registry=self.registry,
        )
        self.idempotency_rows = Gauge(
            "holdfast_idempotency_rows",
            "Idempotency keys that are kept, as far as the planner knows.",
            registry=self.registry,
        )
        self.shipments_finished = Counter(
            "holdfast_worker_shipments_finished",
            "Shipments that waited for the carrier, or to be canceled, and were ended.",
            registry=self.registry,
        )
        self.shipments_open = Gauge(
            "holdfast_shipments_open",
            "Shipments that have not come to a good end, by status.",
            ["status"],
            registry=self.registry,
        )
