"""What the kernel says, on files as it writes them, and on those that are not there."""

import pytest

from holdfast.resilience.load import kernel


class Machine:
    """The folders of a kernel, to be filled."""

    def __init__(self, folder):
        self.root = folder / "cgroup"
        self.proc = folder / "proc"
        self.write("proc/self/statm", "9000 250 100 1 0 500 0", folder)
        self._folder = folder

    def write(self, path, text, folder=None):
        file = (folder or self._folder) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.fixture
def memory(machine):
    return lambda: kernel.cgroup_memory(machine.root, machine.proc)


def v2(machine, folder="", *, limit="1000", current="900"):
    machine.write("proc/self/cgroup", "0::/shop\n")
    machine.write(f"cgroup{folder}/memory.max", limit + "\n")
    machine.write(f"cgroup{folder}/memory.current", current + "\n")
    machine.write(f"cgroup{folder}/memory.stat", "anon 5\ninactive_file 100\n")


def v1(machine, folder="", *, limit="1000"):
    machine.write("proc/self/cgroup", "4:memory:/shop\n1:cpu:/shop\n0::/\n")
    base = f"cgroup/memory{folder}"
    machine.write(f"{base}/memory.limit_in_bytes", limit)
    machine.write(f"{base}/memory.usage_in_bytes", "900")
    machine.write(f"{base}/memory.stat", "total_inactive_file 200\n")


class TestResidentBytes:
    def test_are_pages_of_memory(self, machine):
        assert kernel.resident_bytes(machine.proc)() % 250 == 0

    def test_of_this_process_are_some(self):
        assert kernel.resident_bytes()() > 1 << 20

    def test_are_no_signal_without_the_file(self, tmp_path):
        assert kernel.resident_bytes(tmp_path)() is None


class TestTotalBytes:
    def test_are_those_of_the_machine(self, machine):
        machine.write("proc/meminfo", "MemTotal:       2048 kB\nMemFree: 1 kB\n")

        assert kernel.total_bytes(machine.proc)() == 2048 * 1024

    def test_are_no_signal_without_the_file(self, machine):
        assert kernel.total_bytes(machine.proc)() is None


class TestCgroupMemory:
    @pytest.mark.parametrize("folder", ["/shop", ""], ids=["host", "container"])
    def test_leaves_out_the_cache_that_could_go(self, machine, memory, folder):
        v2(machine, folder)

        assert memory()() == pytest.approx(0.8)

    @pytest.mark.parametrize("folder", ["/shop", ""], ids=["host", "container"])
    def test_is_known_of_the_first_version_too(self, machine, memory, folder):
        v1(machine, folder)

        assert memory()() == pytest.approx(0.7)

    @pytest.mark.parametrize("limit", ["max", str((1 << 63) - 4096)])
    def test_is_no_signal_where_there_is_no_limit(self, machine, memory, limit):
        v2(machine, limit=limit)

        assert memory()() is None

    def test_is_no_signal_without_a_cgroup(self, memory):
        assert memory()() is None

    def test_is_no_signal_where_its_use_is_not_told(self, machine, memory):
        v2(machine)
        (machine.root / "memory.current").unlink()

        assert memory()() is None

    def test_is_no_signal_while_the_file_cannot_be_read(self, machine, memory):
        v2(machine)
        read = memory()
        (machine.root / "memory.current").unlink()

        assert read() is None

    def test_is_counted_with_the_cache_where_that_is_not_told(self, machine, memory):
        v2(machine)
        machine.write("cgroup/memory.stat", "anon 5\ninactive_file lots\n")

        assert memory()() == pytest.approx(0.9)


class TestCgroupThrottled:
    @pytest.fixture
    def say(self, machine):
        def write(periods, throttled, folder="cgroup"):
            machine.write("proc/self/cgroup", "1:cpu:/shop\n0::/shop\n")
            text = f"usage_usec 1\nnr_periods {periods}\nnr_throttled {throttled}\n"
            machine.write(f"{folder}/cpu.stat", text)

        return write

    @pytest.mark.parametrize("folder", ["cgroup", "cgroup/shop", "cgroup/cpu/shop"])
    def test_is_the_share_of_the_periods_since_the_last_look(
        self, machine, hand, say, folder
    ):
        say(100, 90, folder)
        read = kernel.cgroup_throttled(hand, machine.root, machine.proc)
        assert read() is None
        say(110, 94, folder)
        hand.advance(1)

        assert read() == pytest.approx(0.4)

    def test_is_looked_at_once_a_second(self, machine, hand, say):
        say(100, 0)
        read = kernel.cgroup_throttled(hand, machine.root, machine.proc)
        read()
        hand.advance(0.5)
        say(105, 5)

        assert read() is None

    def test_is_none_of_no_periods(self, machine, hand, say):
        say(100, 100)
        read = kernel.cgroup_throttled(hand, machine.root, machine.proc)
        read()
        hand.advance(1)

        assert read() == 0

    def test_is_no_signal_without_the_file(self, machine, hand, say):
        assert kernel.cgroup_throttled(hand, machine.root, machine.proc)() is None
        say(1, 1)
        read = kernel.cgroup_throttled(hand, machine.root, machine.proc)
        (machine.root / "cpu.stat").unlink()

        assert read() is None

    def test_is_no_signal_without_a_quota(self, machine, hand, say):
        say(1, 1)
        machine.write("cgroup/cpu.stat", "usage_usec 5\n")

        assert kernel.cgroup_throttled(hand, machine.root, machine.proc)() is None


class TestStalled:
    LINES = "some avg10=80.00 avg60=1.00 total=1\nfull avg10=12.50 avg60=2 total=3\n"

    def test_is_the_time_in_which_nothing_went_on(self, machine):
        machine.write("proc/pressure/memory", self.LINES)

        read = kernel.stalled("memory", machine.root, machine.proc)

        assert read() == pytest.approx(0.125)

    def test_is_that_of_the_own_cgroup_where_it_has_one(self, machine):
        machine.write("proc/self/cgroup", "0::/shop\n")
        machine.write("proc/pressure/memory", self.LINES.replace("12.50", "99.00"))
        machine.write("cgroup/shop/memory.pressure", self.LINES)

        read = kernel.stalled("memory", machine.root, machine.proc)

        assert read() == pytest.approx(0.125)

    @pytest.mark.parametrize(
        "text", ["", "some avg10=1.00\n", "full avg10=much\n", "full\n"]
    )
    def test_is_no_signal_where_it_is_not_told(self, machine, text):
        machine.write("proc/pressure/memory", text)

        assert kernel.stalled("memory", machine.root, machine.proc)() is None

    def test_is_no_signal_without_the_file(self, machine):
        assert kernel.stalled("cpu", machine.root, machine.proc)() is None


class TestHere:
    """On the kernel of this machine, whichever it is: a share, or no signal."""

    @pytest.mark.parametrize(
        "make",
        [kernel.cgroup_memory, lambda: kernel.stalled("memory")],
        ids=["memory", "stalled"],
    )
    def test_is_a_share_or_no_signal(self, make):
        value = make()()

        assert value is None or 0 <= value <= 1
