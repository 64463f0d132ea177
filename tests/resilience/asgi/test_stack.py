from functools import partial

from holdfast.resilience.asgi import Reply, stack


class Noting:
    def __init__(self, app, name, diary):
        self.app = app
        self.name = name
        self.diary = diary

    async def __call__(self, scope, receive, send):
        self.diary.append(self.name)
        await self.app(scope, receive, send)


class TestStack:
    async def test_the_first_layer_sees_a_request_first(self, converse):
        diary = []
        layers = [
            partial(Noting, name=name, diary=diary) for name in ("outer", "inner")
        ]

        talk = await converse().hold(stack(Reply(200), *layers))

        assert diary == ["outer", "inner"]
        assert talk.status == 200
