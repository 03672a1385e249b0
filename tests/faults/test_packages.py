"""Engine packages and plans that others made or may change."""

import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from realtime.engine import check
from realtime.errors import EngineError


@pytest.mark.promise("a golden.npz that grows a thousandfold", "refused before it is unpacked", "1 of 1, of 272 MB")
def test_a_golden_file_that_grows_to_gigabytes_is_refused_before_it_does(tmp_path, monkeypatch):
    monkeypatch.setattr(np, "load", None)
    with (
        zipfile.ZipFile(tmp_path / "golden.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bomb,
        bomb.open("in_images.npy", "w", force_zip64=True) as member,
    ):
        for _ in range(65):
            member.write(bytes(1 << 22))
    assert (tmp_path / "golden.npz").stat().st_size < 5e6
    with pytest.raises(EngineError, match="272 MB"):
        check.golden(tmp_path / "golden.npz", SimpleNamespace())


@pytest.mark.promise("a golden.npz that states 8 PiB", "refused in one line", "1 of 1")
def test_a_golden_file_whose_array_states_more_than_it_holds_is_refused(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 1024), }"
    header += b" " * (117 - len(header)) + b"\n"
    with zipfile.ZipFile(tmp_path / "golden.npz", "w") as bomb:
        bomb.writestr("in_images.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(80))
    with pytest.raises(EngineError, match="not readable"):
        check.golden(tmp_path / "golden.npz", SimpleNamespace())
