"""``holdfast bench protection``: what is left of a server at ten times its capacity.

Every measurement is a module of this package with ``async def measure(rig) -> Outcome``
and a line in ``MEASUREMENTS``. Beside each protected figure stands the same without
protection, measured in the same run. Exits with 1 when a target is missed, with 2 when
something could not be measured: a load generator that did not keep its own schedule
makes its run void, whatever came of it.
"""

from holdfast.cli.bench.protection.measurements import MEASUREMENTS, Measurement
from holdfast.cli.bench.protection.outcome import Outcome
from holdfast.cli.bench.protection.rig import Cores, Rig

__all__ = ["MEASUREMENTS", "Cores", "Measurement", "Outcome", "Rig"]
