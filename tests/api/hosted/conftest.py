"""People at the pages."""

from visitors import (
    a_browser,
    a_person,
    ada,
    an_app,
    app,
    browser,
    mailed_link,
)

__all__ = ["a_browser", "a_person", "ada", "an_app", "app", "browser", "mailed_link"]
