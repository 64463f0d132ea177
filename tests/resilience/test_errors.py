"""What a log says of the errors."""

import pytest

from holdfast.resilience import (
    DeadlineExceeded,
    Quota,
    QuotaExceeded,
    Rejected,
    Throttled,
)
from holdfast.resilience.rate import Standing


class TestWords:
    @pytest.mark.parametrize(
        ("error", "meaning", "numbers"),
        [
            (Rejected(), "The call was turned away before anything happened.", ""),
            (
                Throttled(2.5, dependency="payment"),
                "A service that this depends on turns most calls away at the moment.",
                " (retry_after_seconds=2.5, dependency='payment')",
            ),
            (
                DeadlineExceeded(1.5, stage="handler"),
                "The time for this request ran out before it was done.",
                " (after_seconds=1.5, outcome='unknown', stage='handler')",
            ),
            (
                QuotaExceeded(
                    1.0,
                    policies=("all",),
                    standings=(Standing(Quota("all", 1, 1), 0, 1, 1),),
                ),
                "The caller has used up a quota; the same call may succeed later.",
                " (retry_after_seconds=1.0)",
            ),
        ],
        ids=["bare", "throttled", "deadline", "quota"],
    )
    def test_say_what_it_means(self, error, meaning, numbers):
        """``Throttled: 2.5`` would be all that a traceback shows."""
        assert str(error) == meaning + numbers
