"""Head pose and picture quality of a face, from its landmarks and pixels; pure functions."""

from __future__ import annotations

import math

import cv2
import numpy as np

from realtime.faces import landmarks as lm
from realtime.records import Box, Floats, Image, Pose, Quality

#: Below these a face is tracked but its answers carry the reason. Chosen on the sample clips:
#: an outer-eye distance of 36 px leaves a movement of 1 % of it under half a pixel.
SMALL_PX = 36.0
BLURRED = 25.0
DARK, BRIGHT = 45.0, 215.0
TURNED_DEG = 25.0
#: How far the line from forehead to nose base leans towards the camera in a face that looks straight into it:
#: points 10 and 2 of MediaPipe's canonical_face_model.obj, atan((6.058 - 4.482) / (8.262 + 2.089)).
LEAN = math.radians(8.66)
PATCH_PX = 96  # sharpness is measured at one size, or it would mostly measure distance


def bounding_box(points: Floats) -> Box:
    """The upright box around `points` (K, 2 or 3)."""
    x, y = points[:, 0], points[:, 1]
    x0, y0 = x.min(), y.min()
    return Box(float(x0), float(y0), float(x.max() - x0), float(y.max() - y0))


def eye_distance(points: Floats) -> float:
    """Distance of the outer eye corners, in the unit of `points` (K, 2 or 3)."""
    return float(np.linalg.norm(points[lm.RIGHT_EYE_OUTER] - points[lm.LEFT_EYE_OUTER]))


def head_pose(points: Floats) -> Pose:
    """Yaw, pitch and roll from `points` (468, 3) by the directions of the eye line and of the nose-to-forehead line.

    The mesh's own depth is used, so no camera calibration is needed; MediaPipe's depth is
    relative, which keeps small angles right and compresses large ones.
    """
    right = points[lm.RIGHT_EYE_OUTER] + points[lm.RIGHT_EYE_INNER]
    across = _unit(right - points[lm.LEFT_EYE_OUTER] - points[lm.LEFT_EYE_INNER])
    down = points[lm.NOSE_BASE] - points[lm.FOREHEAD]
    down = _unit(down - across * (down @ across))
    (ax, ay, az), (dx, dy, dz) = across.tolist(), down.tolist()
    # The product of both points into the head, since z grows with depth; in numbers, for numpy's takes longer than all.
    cross, cos, sin = (ay * dz - az * dy, az * dx - ax * dz, ax * dy - ay * dx), math.cos(LEAN), math.sin(LEAN)
    x, y, z = (c * cos - d * sin for c, d in zip(cross, (dx, dy, dz), strict=True))
    yaw, pitch = math.atan2(-x, z), math.asin(min(max(y, -1.0), 1.0))
    return Pose(math.degrees(yaw), math.degrees(pitch), math.degrees(math.atan2(ay, ax)))


def quality(image: Image, points: Floats, box: Box, pose: Pose) -> Quality:
    """Judge the face inside `box` of `image` (H, W, 3); names every reason why an answer may be worth little."""
    size = eye_distance(points[:, :2])
    sharpness, brightness = _sharpness_and_brightness(image, box)
    found = {
        "small": size < SMALL_PX,
        "blurred": sharpness < BLURRED,
        "dark": brightness < DARK,
        "bright": brightness > BRIGHT,
        "turned": max(abs(pose.yaw), abs(pose.pitch)) > TURNED_DEG,
    }
    return Quality(size, sharpness, brightness, tuple(reason for reason, holds in found.items() if holds))


def _sharpness_and_brightness(image: Image, box: Box) -> tuple[float, float]:
    height, width = image.shape[:2]
    x0, y0 = max(int(box.x), 0), max(int(box.y), 0)
    x1, y1 = min(int(box.x + box.width), width), min(int(box.y + box.height), height)
    if x1 - x0 < 4 or y1 - y0 < 4:
        return 0.0, 0.0
    patch = cv2.resize(image[y0:y1, x0:x1], (PATCH_PX, PATCH_PX), interpolation=cv2.INTER_NEAREST)
    grey = cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY)
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return float(deviation[0, 0] ** 2), float(cv2.mean(grey)[0])


def _unit(vector: Floats) -> Floats:
    return vector / max(math.sqrt(float(vector @ vector)), 1e-6)
