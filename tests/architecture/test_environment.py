"""What a deployment may set is written down, and the examples are accepted."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.platform.settings import Settings

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "deploy/env").glob("*.env.example"))
PLACEHOLDERS = {
    "https://<payment provider>": "https://pay.example",
    "https://<payment provider, test account>": "https://pay.example",
    "https://<carrier>": "https://carry.example",
    "https://<carrier, test account>": "https://carry.example",
    "<database host>": "db.example",
    "<redis host>": "cache.example",
    "<mail server>": "mail.example",
    "<mail trap>": "mail.example",
    "<your domain>": "shop.example",
    "<key service>": "aws-kms://arn:aws:kms:eu-central-1:1:key/1",
    "<password>": "s3cret",
    "<user>": "shop",
}
ASSIGNMENT = re.compile(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def reference() -> str:
    """The page of settings as it should be today."""
    command = [sys.executable, str(ROOT / "tools/settings_reference.py"), "--print"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


class TestReferencePage:
    def test_is_what_the_settings_say_today(self, reference):
        page = (ROOT / "docs/reference/settings.md").read_text()

        assert page == reference, "run .venv/bin/python tools/settings_reference.py"


class TestExamples:
    def test_there_is_one_for_each_environment(self):
        assert [path.name.partition(".")[0] for path in EXAMPLES] == [
            "development",
            "production",
            "staging",
            "test",
        ]

    @pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
    def test_is_accepted_once_its_placeholders_are_replaced(self, path):
        text = path.read_text()
        for placeholder, value in PLACEHOLDERS.items():
            text = text.replace(placeholder, value)
        lines = [line for line in text.splitlines() if line and line[0] != "#"]

        settings = Settings.read(dict(line.split("=", 1) for line in lines))

        assert settings.environment == path.name.partition(".")[0]
        assert "<" not in "".join(lines), "a placeholder is not replaced in this test"

    @pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
    def test_names_only_settings_that_exist(self, path, reference):
        for name, _ in ASSIGNMENT.findall(path.read_text()):
            assert f"| `{name}` |" in reference, f"{path.name}: {name} is no setting"


class TestImage:
    def test_pins_the_same_uv_as_the_bootstrap(self):
        bootstrap = (ROOT / "tools/bootstrap.py").read_text()
        pinned = re.search(r'^UV = "(.+)"$', bootstrap, re.MULTILINE)[1]

        assert f" uv=={pinned}\n" in (ROOT / "deploy/Dockerfile").read_text()
