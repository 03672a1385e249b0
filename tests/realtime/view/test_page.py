import time

import pytest
from websockets.exceptions import ConnectionClosed

from realtime.view.page import MOST_OF_ONE


@pytest.mark.promise(
    "more visitors than places",
    "they wait in order, and come in",
    "2 of 2",
)
def test_one_more_visitor_waits_and_comes_in_when_a_place_is_free(serve, browse):
    page = serve("view.visitors=1")
    ada, bob, eve = browse(page), browse(page), browse(page)
    ada.enter()
    bob.say("hello")
    wait = bob.until("wait")
    assert (wait["ahead"], wait["why"].startswith("1 of 1 places are taken")) == (0, True)
    eve.say("hello")
    assert eve.until("wait")["ahead"] == 1
    ada.close()
    bob.until("welcome")
    assert eve.until("wait")["ahead"] == 0
    bob.send(1)
    assert bob.until("state")["frame"] == 1


def test_an_idle_visitor_makes_room_for_one_who_waits(serve, browse):
    page = serve("view.visitors=1", "view.idle_s=0.5")
    ada = browse(page)
    ada.enter()
    time.sleep(0.8)
    assert ada.quiet(0.1) == [], "nobody waited"
    bob = browse(page)
    bob.say("hello")
    bob.until("welcome")
    assert ada.until("wait")["ahead"] == 0


@pytest.mark.promise(
    "pages without end, of one address",
    "the line keeps room for others; why is said",
    "nine of one address at 1 place; the next is hung up on",
)
def test_one_address_cannot_fill_the_line(serve, browse):
    page = serve("view.visitors=1")
    for _ in range(1 + MOST_OF_ONE):
        browse(page).say("hello")
    one_more = browse(page)
    with pytest.raises(ConnectionClosed, match="of your address"):
        one_more.quiet(5.0)
    elsewhere = browse(page, source_address=("127.0.0.2", 0))
    elsewhere.say("hello")
    assert elsewhere.until("wait")["ahead"] == MOST_OF_ONE


@pytest.mark.promise(
    "a WebSocket message that is too long",
    "its sender is hung up on, others go on",
    "100 kB where 4 kB are allowed",
)
def test_messages_beyond_all_measure_end_only_the_one_who_sent_them(serve, browse):
    page = serve("streams.longest_kb=4")
    ada, bob = browse(page), browse(page)
    ada.enter()
    bob.enter()
    ada.send(1, b"\xff\xd8" + bytes(100_000))
    with pytest.raises(ConnectionClosed):
        ada.quiet(5.0)
    bob.send(1)
    assert bob.until("state")["frame"] == 1
