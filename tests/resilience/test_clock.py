from holdfast.resilience.clock import monotonic


class TestMonotonic:
    def test_never_runs_backwards(self):
        instants = [monotonic() for _ in range(100)]

        assert instants == sorted(instants)
