"""What the wire promises, measured on this machine: `python -m realtime bench --wire`."""

from realtime.bench_wire.found import Wire, lines
from realtime.bench_wire.measure import bench_wire

__all__ = ["Wire", "bench_wire", "lines"]
