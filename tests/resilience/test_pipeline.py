import pytest

from holdfast.resilience import Pipeline


class Noting:
    """A policy that writes down when it acts."""

    def __init__(self, name, diary):
        self.name = name
        self.diary = diary

    async def __call__(self, call):
        self.diary.append(f"enter {self.name}")
        result = await call()
        self.diary.append(f"leave {self.name}")
        return result


async def answer():
    return 42


class TestPipeline:
    async def test_the_first_named_acts_first(self):
        diary = []
        pipeline = Pipeline(Noting("outer", diary), Noting("inner", diary))

        assert await pipeline(answer) == 42
        assert diary == ["enter outer", "enter inner", "leave inner", "leave outer"]

    async def test_of_nothing_is_the_call_itself(self):
        assert await Pipeline()(answer) == 42

    async def test_says_what_is_wrong_when_it_is_given_a_coroutine(self):
        """``ask(charge())`` is how it is written first; Python's words do not help."""

        async def charge():
            raise AssertionError("never")

        with pytest.raises(
            TypeError, match=r"ask\(charge\), and not ask\(charge\(\)\)"
        ):
            await Pipeline(Noting([], "only"))(charge())
