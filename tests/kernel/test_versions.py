import pytest

from holdfast.kernel.versions import are_of


class TestAreOf:
    @pytest.mark.parametrize(
        ("versions", "same"),
        [(None, True), ({3}, True), ({2, 3}, True), ({2}, False), (set(), False)],
    )
    def test_a_change_is_of_the_versions_it_names_or_of_any(self, versions, same):
        assert are_of(3, versions) is same
