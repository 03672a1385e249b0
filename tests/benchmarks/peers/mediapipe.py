"""MediaPipe's face mesh as it comes: it looks for one face until it has one, and then follows its 468 landmarks."""

import sys

import cv2
from mediapipe.python.solutions.face_mesh import FaceMesh
from peers.clock import timed


def main(clip, seconds):
    mesh = FaceMesh(static_image_mode=False, max_num_faces=1)

    def faces(picture):
        return mesh.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).multi_face_landmarks

    timed("mediapipe", faces, clip, seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
