import subprocess
import sys

from prometheus_client.parser import text_string_to_metric_families

from holdfast.platform.metrics import SHARED_FOLDER, Metrics

# A worker: it counts as told and says its own view of all.
WORKER = """
import os, sys
from holdfast.platform.metrics import Metrics
metrics = Metrics(os.environ)
for _ in range(int(sys.argv[1])):
    metrics.request("GET", "/v1/tea", 200, 0.004)
metrics.in_progress.inc()
sys.stdout.write(metrics.expose().decode())
"""


def values(text):
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class TestMetrics:
    def test_count_who_was_turned_away_at_the_door(self):
        metrics = Metrics({})
        for _ in range(3):
            metrics.refused("GET", "/v1/tea", 503)
        counted = [values(metrics.expose().decode()) for _ in range(2)]

        total = "holdfast_http_requests_total", "/v1/tea", "503", "GET"
        assert [said[total] for said in counted] == [3, 3]

    def test_count_what_they_are_told(self):
        metrics = Metrics({})
        metrics.request("GET", "/v1/tea", 200, 0.004)
        metrics.request("GET", "/v1/tea", 200, 0.2)
        metrics.request("GET", "/v1/tea", 404, 0.004)

        counted = values(metrics.expose().decode())

        total = "holdfast_http_requests_total"
        assert counted[total, "/v1/tea", "200", "GET"] == 2
        assert counted[total, "/v1/tea", "404", "GET"] == 1
        bucket = "holdfast_http_request_seconds_bucket"
        assert counted[bucket, "/v1/tea", "0.005", "GET"] == 2
        assert counted[bucket, "+Inf", "/v1/tea", "GET"] == 3

    def test_of_one_shop_are_not_those_of_another(self):
        one, two = Metrics({}), Metrics({})
        one.request("GET", "/v1/tea", 200, 0.004)

        assert "/v1/tea" not in two.expose().decode()

    def test_of_all_workers_are_told_by_any(self, tmp_path):
        environ = {SHARED_FOLDER: str(tmp_path)}
        said = [
            subprocess.run(  # noqa: S603 - our own interpreter and script
                [sys.executable, "-c", WORKER, count],
                env=environ,
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            for count in ("3", "4")
        ]

        counted = values(said[1])

        assert counted["holdfast_http_requests_total", "/v1/tea", "200", "GET"] == 7
        # The first worker is gone, and with it what it had under way.
        assert counted[("holdfast_http_requests_in_progress",)] == 1
