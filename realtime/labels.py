"""Class vocabularies. The order is part of every engine and message: append, never reorder."""

from __future__ import annotations

#: FER+ majority classes (Barsoum et al. 2016, arXiv 1608.01041), without "unknown" and "NF".
FERPLUS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")

#: MEGC2019 composite classes (See et al. 2019).
MEGC3 = ("negative", "positive", "surprise")

#: Finer labels -> those; surprise is called so there too.
COMPOSITE = {
    **dict.fromkeys(("anger", "contempt", "disgust", "fear", "sadness", "repression"), "negative"),
    "happiness": "positive",
}

#: The label of movements that show nothing: an engine that has it may withdraw events, and none is told by it.
NONE = "none"

#: Finer labels -> what an engine that tells movements apart calls them: a face that shows nothing has not moved.
GROUPS = {**COMPOSITE, "neutral": NONE}

#: What engines tell apart, by the label set that they were trained on (see `train.datasets.annotation.labels`).
VOCABULARIES = {
    "ferplus-8": FERPLUS,
    "megc-3": MEGC3,
    "megc-3-none": (*MEGC3, NONE),
    "smic-3": MEGC3,
    "casme2-5": ("happiness", "disgust", "repression", "surprise", "others"),
    "samm-5": ("anger", "happiness", "contempt", "surprise", "others"),
    "dfew-7": ("happiness", "sadness", "neutral", "anger", "surprise", "disgust", "fear"),
    "casme-4": ("disgust", "surprise", "repression", "tense"),
    "casme-squared-4": ("negative", "positive", "surprise", "others"),
    "casme3-7": ("happiness", "surprise", "sadness", "anger", "disgust", "fear", "others"),
    "mmew-6": ("happiness", "surprise", "sadness", "anger", "disgust", "fear"),
    "emotion-7": ("happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"),
    "kind-2": ("micro", "macro"),
    "spotting-3": ("expression", "micro", "apex"),
}

#: The vocabulary of an engine whose labels are its owner's: they stand in its manifest, and nowhere else.
OWN = "own"
