"""A home holds one shop, run by one process, and loses nothing that is not ours."""

import os

import pytest

from holdfast.platform.embedded import CannotStart, Home


class TestHeld:
    def test_makes_a_folder_for_this_user_only(self, awkward):
        home = Home(awkward / "deep" / "home")

        with home.held():
            home.prepare(fresh=False)

        assert home.path.stat().st_mode & 0o777 == 0o700
        assert home.logs.stat().st_mode & 0o777 == 0o700

    def test_keeps_a_second_one_out_and_names_the_first(self, tmp_path):
        home = Home(tmp_path / "home")

        with (
            home.held(),
            pytest.raises(CannotStart, match=f"already running .* {os.getpid()}"),
            Home(tmp_path / "home").held(),
        ):
            pass

    def test_lets_the_next_one_in(self, tmp_path):
        home = Home(tmp_path / "home")
        with home.held():
            pass

        with home.held():
            assert home.path.is_dir()

    def test_refuses_a_folder_with_somebody_elses_files(self, tmp_path):
        (tmp_path / "thesis.tex").write_text("years of work")

        with (
            pytest.raises(CannotStart, match=r"does not look like .* thesis\.tex"),
            Home(tmp_path).held(),
        ):
            pass

        assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
    def test_refuses_the_home_of_another_user(self, tmp_path):
        home = Home(tmp_path / "home")
        with home.held():
            home.prepare(fresh=False)
        os.chown(home.path / "holdfast-home", 12345, -1)

        with pytest.raises(CannotStart, match=r"another user .* 12345"), home.held():
            pass

    def test_a_file_in_its_place_is_a_sentence(self, tmp_path):
        (tmp_path / "home").write_text("")

        with (
            pytest.raises(CannotStart, match="Holdfast cannot start"),
            Home(tmp_path / "home").held(),
        ):
            pass

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_we_may_not_write_is_a_sentence(self, tmp_path):
        tmp_path.chmod(0o500)

        with pytest.raises(CannotStart, match="not writable"), Home(tmp_path).held():
            pass


class TestPrepare:
    def test_fresh_deletes_what_is_ours_and_nothing_else(self, tmp_path):
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "kept").write_text("")
        home = Home(tmp_path / "home")
        with home.held():
            home.prepare(fresh=False)
            (home.path / "postgres").mkdir()
            (home.path / "valkey").symlink_to(elsewhere)
            home.operator_key.write_text("hfk_old")
            (home.path / "notes.txt").write_text("mine")

            home.prepare(fresh=True)

        assert (elsewhere / "kept").exists()
        assert (home.path / "notes.txt").read_text() == "mine"
        assert not home.operator_key.exists()
        assert not (home.path / "postgres").exists()
        assert not (home.path / "valkey").exists()

    def test_keeps_the_shop_unless_told_otherwise(self, tmp_path):
        home = Home(tmp_path / "home")
        with home.held():
            home.operator_key.write_text("hfk_old")

            home.prepare(fresh=False)

        assert home.operator_key.read_text() == "hfk_old"
