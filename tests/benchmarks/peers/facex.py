"""facex as its page shows it: OpenCV's cascade looks for faces on every frame, a network names seven expressions."""

import sys

from facex import PoolManager
from peers.clock import timed

if __name__ == "__main__":
    timed("facex", PoolManager(pool_size=1).predict, *sys.argv[1:])
