"""Where the shop is that a command works on.

``DATABASE_URL`` and the like say so; where they are not set, it is the shop that
``holdfast up`` runs in ``HOLDFAST_HOME``, which notes its addresses in a file there
for as long as it runs.
"""

import shlex

from holdfast.platform.embedded import Home
from holdfast.platform.settings import BadSettings, Settings


class NotRunning(BadSettings):
    """There is no shop to work on; the text says what to do."""


def settings_of_running_shop() -> Settings:
    """The settings, completed by the addresses of the shop that runs here.

    Raises ``BadSettings``, of which ``NotRunning`` says that there is no shop.
    """
    settings = Settings.from_environment()
    if settings.database_url is None:
        settings = Settings.read({**addresses(Home(settings.home)), **settings.raw})
    return settings


def addresses(home: Home) -> dict[str, str]:
    """What the shop that runs in *home* has noted; raises ``NotRunning``."""
    try:
        noted = home.env.read_text("utf-8")
    except OSError:
        raise NotRunning(
            f"No shop runs in {home.path}: start it with `holdfast up`, or set "
            "DATABASE_URL."
        ) from None
    # One assignment a line, quoted for a shell.
    pairs = (word.partition("=") for word in shlex.split(noted))
    return {name: value for name, _, value in pairs}
