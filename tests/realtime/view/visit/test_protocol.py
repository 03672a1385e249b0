import json
import struct

import pytest

JPEG = b"\xff\xd8 a picture"


WRONG = [
    "nonsense",
    "{}",
    '{"do":"dance"}',
    '{"do":"hello","camera":7}',
    '{"do":"hello","shoes":1}',
    "[" * 3000,
    json.dumps({"do": "hello", "camera": "x" * 5000}),
    b"",
    b"\0" * 11,
    struct.pack("<Id", 1, 1.0) + b"no jpeg",
    '{"do":"moment","event":-1}',
    f'{{"do":"moment","event":{2**53}}}',
    f'{{"do":"moment","event":{10**30}}}',
    '{"do":"moment","event":1e400}',
    struct.pack("<Id", 1, float("nan")) + JPEG,
    struct.pack("<Id", 1, float("inf")) + JPEG,
    struct.pack("<Id", 1, 1e300) + JPEG,
    struct.pack("<Id", 1, -1.0) + JPEG,
]


@pytest.mark.promise(
    "what no browser of ours says: wrong JSON, deep, long, times that cannot be",
    "answered with what is wrong; the visit goes on",
    "18 of 18",
)
def test_what_is_wrong_is_answered_and_the_rest_goes_on(serve, browse, all_problems_told, texts_at_any_rate):
    ada = browse(serve("view.most_hz=100000"))
    ada.enter()
    for number, said in enumerate(WRONG):
        ada.socket.send(said)
        assert ada.until("problem")["what"] == "malformed", said
        ada.send(number)
        assert ada.until("state")["frame"] == number
