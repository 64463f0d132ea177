import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/explanation/protection/concurrency.md"
SVG = "{http://www.w3.org/2000/svg}"


def test_the_plots_of_the_page_can_be_drawn_again(tmp_path):
    script = ROOT / "tools/concurrency_plots.py"
    subprocess.run(  # noqa: S603 - our own
        [sys.executable, script, str(tmp_path), "0.01"], check=True, timeout=120
    )

    drawn = sorted(path.name for path in tmp_path.glob("*.svg"))
    assert drawn == sorted(path.name for path in (PAGE.parent / PAGE.stem).iterdir())
    for name in drawn:
        assert f"(concurrency/{name})" in PAGE.read_text()
        picture = ET.parse(tmp_path / name).getroot()  # noqa: S314 - our own
        assert picture.tag == f"{SVG}svg"
        assert picture.findall(f"{SVG}polyline")
