"""Names for the points of MediaPipe's 468-point face mesh. "Left" is the picture's left: the person's right.

Indices: MediaPipe `canonical_face_model_uv_visualization.png` (Apache-2.0).
"""

from __future__ import annotations

import numpy as np

COUNT = 468

LEFT_EYE_OUTER, LEFT_EYE_INNER = 33, 133
RIGHT_EYE_INNER, RIGHT_EYE_OUTER = 362, 263
NOSE_BRIDGE = (168, 6, 197, 195)
NOSE_BASE = 2
FOREHEAD, CHIN = 10, 152
LEFT_MOUTH, RIGHT_MOUTH = 61, 291
UPPER_LIP, LOWER_LIP = 0, 17
INNER_UPPER_LIP, INNER_LOWER_LIP = 13, 14
LEFT_NOSE_WING, RIGHT_NOSE_WING = 48, 278
LEFT_CHEEK, RIGHT_CHEEK = 50, 280

LEFT_BROW = (70, 63, 105, 66, 107)  # outer to inner
RIGHT_BROW = (300, 293, 334, 296, 336)

LEFT_EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
RIGHT_EYE = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
LEFT_UPPER_LID, LEFT_LOWER_LID = (160, 159, 158), (144, 145, 153)
RIGHT_UPPER_LID, RIGHT_LOWER_LID = (387, 386, 385), (373, 374, 380)

#: Points that expressions hardly move: what alignment and identity may lean on.
RIGID = (LEFT_EYE_OUTER, LEFT_EYE_INNER, RIGHT_EYE_INNER, RIGHT_EYE_OUTER, *NOSE_BRIDGE)
RIGID_ROWS = np.array(RIGID)  #: the same, as numpy takes them at once
