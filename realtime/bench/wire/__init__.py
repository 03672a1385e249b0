"""What the wire promises, measured on this machine: `python -m realtime bench --wire`."""

from realtime.bench.wire.found import Wire, lines
from realtime.bench.wire.measure import bench_wire

__all__ = ["Wire", "bench_wire", "lines"]
