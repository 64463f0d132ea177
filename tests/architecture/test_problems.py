"""Every way of saying no is explained on a page of its own."""

import importlib
import pkgutil
from collections import Counter
from pathlib import Path

import pytest

import holdfast
from holdfast.api import problems
from holdfast.kernel import errors as kinds
from holdfast.resilience.errors import KeyRefused, Rejected, TimedOut

# In the package, because the API serves them; docs/problems/README.md leads there.
PAGES = Path(__file__).parents[2] / "src/holdfast/api/problem_pages"
EDGE = {"internal-error"}


@pytest.fixture(scope="module")
def errors() -> set[type[BaseException]]:
    """Every error of the product that a client can be shown."""
    for module in pkgutil.walk_packages(holdfast.__path__, "holdfast."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: set[type[BaseException]] = set()
    waiting: list[type[BaseException]] = [kinds.DomainError, Rejected, TimedOut]
    while waiting:
        error = waiting.pop()
        if error is KeyRefused:
            # What the library says of keys; the shop has words of its own for it.
            continue
        waiting += error.__subclasses__()
        # A kind is never raised as it is; tests define errors of their own.
        ours = error.__module__.startswith("holdfast.")
        if ours and error.__module__ != kinds.__name__:
            found.add(error)
    return found


class TestErrors:
    def test_no_two_share_a_problem_type(self, errors):
        slugs = Counter(problems.slug_of(error) for error in errors)

        assert [slug for slug, count in slugs.items() if count > 1] == []

    def test_each_has_a_status(self, errors):
        # Without a kind an error of ours would be shown as a crash.
        crashes = {e.__qualname__ for e in errors if problems.status_of(e) == 500}

        assert crashes == set()

    def test_no_field_hides_a_member_of_the_problem(self, errors):
        # RFC 9457 3.1; `detail` may be a field: it is what an error says itself.
        own = {"type", "title", "status", "instance"}
        hiding = {
            error.__name__: sorted(
                own & getattr(error, "__dataclass_fields__", {}).keys()
            )
            for error in errors
            if own & getattr(error, "__dataclass_fields__", {}).keys()
        }

        assert hiding == {}

    def test_each_title_is_one_sentence(self, errors):
        odd = {
            error.__name__: problems.title_of(error)
            for error in errors
            if not problems.title_of(error).endswith(".")
            or len(problems.title_of(error)) > 90
        }

        assert odd == {}


class TestPages:
    def test_there_is_one_for_every_error(self, errors):
        wanted = {problems.slug_of(error) for error in errors} | EDGE
        written = {page.stem for page in PAGES.glob("*.md")}

        assert sorted(wanted - written) == [], "write <slug>.md for these"
        assert sorted(written - wanted) == [], "no error leads to these pages"

    def test_is_headed_by_the_title_a_client_reads(self, errors):
        title_by_slug = {problems.slug_of(e): problems.title_of(e) for e in errors}
        odd = {
            page.stem: heading
            for page in PAGES.glob("*.md")
            if page.stem in title_by_slug
            and (heading := page.read_text().partition("\n")[0])
            != f"# {title_by_slug[page.stem]}"
        }

        assert odd == {}, "the first line is '# ' and the title of the error"
