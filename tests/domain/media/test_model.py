"""Addresses and names of pictures."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.media import (
    NAMES,
    ORIGINAL,
    Picture,
    Upload,
    file_name_of,
    path_of,
)
from holdfast.kernel.ids import new_id


def upload_of(content: bytes, **said: object) -> Upload:
    values = {
        "id": new_id(),
        "picture": Picture("png", 1, 1),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "file_name": "",
        "alt": "",
    }
    return Upload(**{**values, **said})


class TestAddress:
    def test_changes_with_the_content_and_with_the_id(self):
        first = upload_of(b"a")

        assert first.address != upload_of(b"b", id=first.id).address
        assert first.address != upload_of(b"a").address
        assert first.address == upload_of(b"a", id=first.id, alt="x").address

    def test_is_served_under_names_that_an_upload_has_not(self):
        assert path_of("ab", "large.webp") == "/images/ab/large.webp"
        assert len(NAMES) == 10
        assert ORIGINAL not in NAMES


class TestFileName:
    @given(said=st.none() | st.text())
    def test_is_one_short_line_without_a_folder(self, said):
        name = file_name_of(said)

        assert len(name) <= 255
        assert "/" not in name
        assert "\\" not in name
        assert name.isprintable()

    def test_is_the_last_part_of_what_was_said(self):
        assert file_name_of("C:\\fotos\\tea tin.png") == "tea tin.png"
        assert file_name_of("../../etc/passwd") == "passwd"
        assert file_name_of(None) == ""
