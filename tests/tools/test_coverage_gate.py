"""The gate lets nothing through that must be covered as a whole."""

import importlib.util
import json
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools/coverage_gate.py"
WELL = {
    "missing_lines": [],
    "missing_branches": [],
    "summary": {"percent_covered": 100},
}


@pytest.fixture
def gate():
    spec = importlib.util.spec_from_file_location("coverage_gate", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def report(tmp_path):
    """Write a report: the overall percentage, and what some files lack."""

    def write(percent, **missing_by_path):
        files = {path: WELL | missing for path, missing in missing_by_path.items()}
        path = tmp_path / "coverage.json"
        path.write_text(
            json.dumps({"totals": {"percent_covered": percent}, "files": files})
        )
        return path

    return write


class TestGate:
    def test_admits_a_covered_product(self, gate, report, capsys):
        path = report(97, **{"src/holdfast/api/app.py": {"missing_lines": [3]}})

        assert gate.main(path) == 0
        assert "97.0 % overall" in capsys.readouterr().out

    def test_refuses_less_than_the_floor(self, gate, report, capsys):
        path = report(94.9, **{"src/holdfast/api/app.py": {"missing_lines": [3, 4]}})

        assert gate.main(path) == 1
        assert "src/holdfast/api/app.py 100 %, 2 gaps" in capsys.readouterr().out

    @pytest.mark.parametrize(
        "path",
        [
            "src/holdfast/kernel/money.py",
            "src/holdfast/resilience/asgi/stack.py",
            "src/holdfast/domain/inventory/model.py",
        ],
    )
    @pytest.mark.parametrize(
        ("missing", "shown"),
        [
            ({"missing_lines": [7]}, "7 never runs"),
            ({"missing_branches": [[7, 9]]}, "7 never goes to line 9"),
            ({"missing_branches": [[7, -5]]}, "7 never goes to the end"),
        ],
    )
    def test_refuses_a_single_gap_where_none_may_be(
        self, gate, report, capsys, path, missing, shown
    ):
        assert gate.main(report(99.9, **{path: missing})) == 1
        assert f"{path}:{shown}" in capsys.readouterr().out

    def test_counts_a_line_that_never_runs_once(self, gate):
        missing = {"missing_lines": [7], "missing_branches": [[7, 8], [7, 9]]}

        assert gate.gaps("a.py", missing) == ["a.py:7 never runs"]
