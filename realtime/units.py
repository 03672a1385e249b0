"""Action units in words: what moved, and on which side, for people who do not know FACS by heart.

The units are those of the Facial Action Coding System (Ekman, Friesen and Hager 2002); the words are ours, plain ones
for what can be seen. Sides are the person's own, as in FACS: the left mouth corner is on the right of a picture that
no mirror made.
"""

from __future__ import annotations

from typing import Literal

Side = Literal["left", "right", "both"]

#: Several units that cannot be told apart are named by their numbers with this between.
OR = "+"
#: Unit -> what is said where both sides move, and where one does.
WORDS: dict[str, tuple[str, str]] = {
    "1": ("inner brows up", "inner brow up"),
    "2": ("outer brows up", "outer brow up"),
    "4": ("brows lowered", "brow lowered"),
    "5": ("upper lids up", "upper lid up"),
    "6": ("cheeks raised", "cheek raised"),
    "7": ("lids tightened", "lid tightened"),
    "9": ("nose wrinkled", "nose wrinkled"),
    "10": ("upper lip up", "upper lip up"),
    "12": ("lip corners up", "lip corner up"),
    "14": ("lip corners tightened", "lip corner tightened"),
    "15": ("lip corners down", "lip corner down"),
    "17": ("chin up", "chin up"),
    "20": ("lips stretched", "lips stretched"),
    "23": ("lips tightened", "lips tightened"),
    "24": ("lips pressed", "lips pressed"),
    "25": ("lips parted", "lips parted"),
    "26": ("jaw down", "jaw down"),
}
#: A side that moved by a smaller share of full strength did not move: FACS's intensity A, a trace, begins about here.
TRACE = 0.07


def described(unit: str, side: Side, left: float, right: float) -> str:
    """What `unit` did, its sides by these shares of full strength: "lip corners up, left more than right".

    A unit that is not in the table is named by its number; several that cannot be told apart are joined by "or".
    """
    if side == "both":
        return _named(unit, both=True)
    less = right if side == "left" else left
    if less < TRACE:
        return f"{_named(unit, both=False)}, {side}"
    other = "right" if side == "left" else "left"
    return f"{_named(unit, both=True)}, {side} more than {other}"


def _named(unit: str, *, both: bool) -> str:
    known = [WORDS.get(number, (f"AU{number}",) * 2)[not both] for number in unit.split(OR)]
    return " or ".join(known)
