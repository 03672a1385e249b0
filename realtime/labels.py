"""Class vocabularies. The order is part of every engine and message: append, never reorder."""

from __future__ import annotations

#: FER+ majority classes (Barsoum et al. 2016, arXiv 1608.01041), without "unknown" and "NF".
FERPLUS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")

#: MEGC2019 composite classes: negative = anger, contempt, disgust, fear, sadness, repression.
MEGC3 = ("negative", "positive", "surprise")

VOCABULARIES = {"ferplus-8": FERPLUS, "megc-3": MEGC3}
