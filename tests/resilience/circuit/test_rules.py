import pytest

from holdfast.resilience.circuit import Rules


class TestRules:
    def test_are_those_of_the_documents_unless_others_are_given(self):
        assert Rules() == Rules(
            window_seconds=10,
            buckets=10,
            minimum_calls=20,
            unreachable_in_a_row=5,
            failure_percent=50,
            slow_percent=80,
            slow_share=0.8,
            open_seconds=2,
            longest_open_seconds=60,
            jitter=0.2,
            permits=3,
            successes_to_close=5,
            failures_to_reopen=2,
            patience=2,
        )

    @pytest.mark.parametrize(
        "wrong",
        [
            {"buckets": 0},
            {"minimum_calls": 0},
            {"unreachable_in_a_row": 0},
            {"permits": 0},
            {"successes_to_close": 0},
            {"failures_to_reopen": 0},
            {"open_seconds": 0},
            {"open_seconds": 3, "longest_open_seconds": 2},
            {"window_seconds": 0},
            {"patience": 0.9},
            {"failure_percent": 0},
            {"slow_percent": 101},
            {"slow_share": 0},
            {"jitter": 1},
        ],
        ids=str,
    )
    def test_that_make_no_sense_are_refused(self, wrong):
        with pytest.raises(ValueError, match=r"a circuit|a rate|a share"):
            Rules(**wrong)
