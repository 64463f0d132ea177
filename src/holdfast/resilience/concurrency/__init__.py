"""How many calls at once, and who waits.

``Limiter`` grants permits as an algorithm decides (``Gradient``, ``Aimd``, ``Fixed``);
``Queue`` says who is next and who is let go. Each works without the others.
"""

from holdfast.resilience.concurrency.bucket import COHORTS, Entry
from holdfast.resilience.concurrency.codel import PATIENT_SECONDS
from holdfast.resilience.concurrency.gate import Gate, Outcome, Permit
from holdfast.resilience.concurrency.gradient import Gradient
from holdfast.resilience.concurrency.limit import Aimd, Fixed, Limit, Step
from holdfast.resilience.concurrency.limiter import Limiter, retry_after
from holdfast.resilience.concurrency.queue import TIERS, Dropped, Queue, Reason
from holdfast.resilience.concurrency.window import Collector, Window

__all__ = [
    "COHORTS",
    "PATIENT_SECONDS",
    "TIERS",
    "Aimd",
    "Collector",
    "Dropped",
    "Entry",
    "Fixed",
    "Gate",
    "Gradient",
    "Limit",
    "Limiter",
    "Outcome",
    "Permit",
    "Queue",
    "Reason",
    "Step",
    "Window",
    "retry_after",
]
