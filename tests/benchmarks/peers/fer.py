"""fer as it comes: OpenCV's cascade looks for faces on every frame, its quantised network names seven expressions."""

import sys

from fer.fer import FER
from peers.clock import timed

if __name__ == "__main__":
    timed("fer", FER().detect_emotions, *sys.argv[1:])
