"""What processes count of pictures, for Prometheus.

Labels are words of ours: the four kinds of picture, and why an upload was refused.
"""

from typing import Literal, TypeAlias, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram

from holdfast.domain.media.errors import Reason
from holdfast.domain.media.model import FORMATS, Kind

Refusal: TypeAlias = Reason | Literal["too-large", "cut-off", "not-kept"]
"""By its content; or too many bytes, a form that ends too soon, no storage."""
End: TypeAlias = Literal["ready", "failed", "again"]
"""Of a drawing: done, never to be done, or stopped and to be tried again."""

_REFUSALS: tuple[Refusal, ...] = (*get_args(Reason), "too-large", "cut-off", "not-kept")
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 45)


class UploadMetrics:
    """The numbers of a process that takes uploads."""

    def __init__(self, registry: CollectorRegistry) -> None:
        uploads = Counter(
            "holdfast_media_uploads",
            "Pictures that were taken in, by what they are.",
            ("kind",),
            registry=registry,
        )
        refused = Counter(
            "holdfast_media_refused",
            "Uploads that were not taken in, by the reason.",
            ("reason",),
            registry=registry,
        )
        self.removed = Counter(
            "holdfast_media_removed",
            "Pictures that somebody removed; their files go with the next sweep.",
            registry=registry,
        )
        self.taken = {kind: uploads.labels(kind) for kind in get_args(Kind)}
        self.refused = {reason: refused.labels(reason) for reason in _REFUSALS}


class DrawingMetrics:
    """The numbers of a process that draws pictures and sweeps up."""

    def __init__(self, registry: CollectorRegistry) -> None:
        seconds = Histogram(
            "holdfast_media_draw_seconds",
            "Time to fetch, draw and keep one picture in every size, by its end.",
            ("outcome",),
            buckets=_SECONDS,
            registry=registry,
        )
        derived = Counter(
            "holdfast_media_derived",
            "Files that were drawn from uploads, by format.",
            ("format",),
            registry=registry,
        )
        self.swept = Counter(
            "holdfast_media_swept",
            "Removals of files that should be no more: of uploads that were drawn or "
            "never arrived, and of pictures that somebody removed.",
            registry=registry,
        )
        self.seconds = {end: seconds.labels(end) for end in get_args(End)}
        self.derived = {ending: derived.labels(ending) for ending in FORMATS}
