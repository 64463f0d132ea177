"""The sealed columns of this module, for sealing them under a newer key."""

from holdfast.platform import sql
from holdfast.platform.resealing import Sealed

_SQL = sql.load("holdfast.domain.identity")
_SECURITY_EVENTS_TO_RESEAL = _SQL["security_events_to_reseal"]
_RESEAL_SECURITY_EVENTS = _SQL["reseal_security_events"]

SEALED = (
    Sealed(
        "security_events", take=_SECURITY_EVENTS_TO_RESEAL, put=_RESEAL_SECURITY_EVENTS
    ),
)
