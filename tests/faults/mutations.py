"""One mutator for all that is attacked with changed bytes: the same number of a case gives the same bytes again."""

import random
import struct

#: Values at which lengths, counts and times go wrong.
NUMBERS = [
    *(struct.pack(">I", number) for number in (0, 1, 0x7FFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)),
    *(struct.pack("<I", number) for number in (1, 0x7FFF, 0x7FFFFFFF, 0x80000000)),
    *(struct.pack(">d", number) for number in (-0.0, 1e308, 5e-324, float("inf"), float("nan"))),
    b"\xff" * 8, b"\x00" * 8,
]  # fmt: skip
#: What parsers of JSON, XML, CSV, msgpack, JPEG and zip take for structure.
TOKENS = [
    b"[", b"]", b"{", b"}", b'"', b"<", b"/>", b"&#0;", b",", b"\n", b"\0", b"null", b"NaN", b"1e999", b"-1",
    b"9" * 400, b"=1+1", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x91" * 2000,
    b"[" * 2000, b"\xff\xda", b"\xff\xc2", b"\xff\xd9", b"PK\x03\x04", b"PK\x01\x02", b"\xed\xa0\x80", b"\xff\xfe",
]  # fmt: skip
#: No case grows beyond: what is too long is refused by its length, before it is looked at.
LONGEST = 1 << 18


def mutated(chance: random.Random, data: bytes) -> bytes:
    """`data` with one to four changes of any kind; every other time one alone, after which most can still be read."""
    if data and chance.random() < 0.5:
        return chance.choice((_bit, _byte, _number))(chance, data)
    for _ in range(chance.randint(1, 4)):
        data = chance.choice(CHANGES)(chance, data) if data else chance.choice(TOKENS)
    return data[:LONGEST]


def _place(chance, data):
    """Anywhere, but as often among the first bytes, where formats say what they are."""
    return chance.randrange(min(len(data), chance.choice([16, 200, len(data)])))


def _bit(chance, data):
    at = _place(chance, data)
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _byte(chance, data):
    at = _place(chance, data)
    return data[:at] + bytes([chance.choice([0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)])]) + data[at + 1 :]


def _number(chance, data):
    at, number = _place(chance, data), chance.choice(NUMBERS)
    return data[:at] + number + data[at + len(number) :]


def _token(chance, data):
    at = _place(chance, data)
    return data[:at] + chance.choice(TOKENS) + data[at + chance.choice([0, 1]) :]


def _noise(chance, data):
    at = _place(chance, data)
    return data[:at] + chance.randbytes(chance.randint(1, 16)) + data[at:]


def _left_out(chance, data):
    at = _place(chance, data)
    return data[:at] + data[at + chance.randint(1, max(1, len(data) // 4)) :]


def _again(chance, data):
    at = _place(chance, data)
    part = data[at : at + chance.randint(1, 64)]
    return data[:at] + part * chance.choice([2, 3, 100]) + data[at:]


def _exchanged(chance, data):
    first, second = sorted((_place(chance, data), _place(chance, data)))
    return data[:first] + data[second : second + 32] + data[first:second] + data[second + 32 :]


def _cut_off(chance, data):
    return data[: chance.randrange(len(data))]


CHANGES = [_bit, _bit, _byte, _byte, _number, _token, _token, _noise, _left_out, _again, _exchanged, _cut_off]
