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
