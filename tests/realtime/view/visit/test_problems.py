import asyncio
import json

from realtime.schema.message import AskNeutral, Refused
from realtime.view.visit.problems import Problems
from realtime.view.visit.send_queue import SendQueue


def test_a_kind_of_problem_is_reported_once_in_a_while():
    async def heard(many):
        return [json.loads(await queue.next()) for _ in range(many)]

    queue = SendQueue()
    problems = Problems(queue, "visitor-1")
    for text in ("first", "second"):
        problems.report("too-fast", text)
        problems.refuse(text)
    problems.tell("refused", "third")
    told = [(each["what"], each["text"]) for each in asyncio.run(heard(3))]
    assert told == [("too-fast", "first"), ("refused", "first"), ("refused", "third")]


def test_no_refusal_names_another_visitor(serve, browse, recogniser):
    names = []
    said = Refused(why="")
    recogniser.script(AskNeutral, lambda *_: Refused(why=f"not watched; there are {', '.join(names)}, sample"))
    page = serve()
    ada, bob = browse(page), browse(page)
    names += [ada.enter()["camera"], bob.enter()["camera"]]
    bob.say("neutral")
    said = bob.until("problem", what="refused")["text"]
    assert names[0] not in said
    assert names[1] in said
    assert "sample" in said
