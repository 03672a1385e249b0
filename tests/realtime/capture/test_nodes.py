"""Cameras by number, path and name, in a folder like the one where Linux lists them."""

import pytest

from realtime.capture.nodes import CAMERAS, cameras, find, listed, numbered
from realtime.errors import SourceError

WEBCAM, BUILT_IN = "HD Pro Webcam C920", "Integrated Camera: Integrated C"
NODES = {10: "Dummy video device", 0: BUILT_IN, 1: BUILT_IN, 3: WEBCAM, 2: WEBCAM}


@pytest.fixture
def folder(tmp_path):
    """Two cameras of two nodes each, and one of one node, made in no order."""
    listed = tmp_path / "video4linux"
    for number, name in NODES.items():
        (listed / f"video{number}").mkdir(parents=True)
        (listed / f"video{number}" / "name").write_text(f"{name}\n")
    (listed / "v4l-subdev0").mkdir()
    return listed


@pytest.mark.parametrize(("spec", "number"), [("0", 0), ("12", 12), ("/dev/video0", 0), ("/dev/video12", 12)])
def test_a_number_or_a_path_is_the_camera_itself_whether_it_is_there_or_not(folder, spec, number):
    assert numbered(spec) == number
    assert find(spec, folder) == number


def test_a_link_is_the_camera_that_it_leads_to_now(tmp_path, folder):
    link = tmp_path / "usb-046d_HD_Pro_Webcam_C920-video-index0"
    link.symlink_to("/dev/video98")
    assert numbered(str(link)) == 98
    link.unlink()
    link.symlink_to("/dev/video99")  # plugged in again
    assert find(str(link), folder) == 99


@pytest.mark.parametrize("spec", ["clip.mp4", "video0", "-1", "0x1", "C920", "/dev/null", ""])
def test_anything_else_has_no_number(spec):
    assert numbered(spec) is None


@pytest.mark.parametrize(
    ("spec", "number"), [("C920", 2), ("c920", 2), ("hd pro", 2), (" C920 ", 2), ("integrated", 0), (BUILT_IN, 0)]
)
def test_a_part_of_a_name_is_the_first_node_of_that_camera(folder, spec, number):
    assert find(spec, folder) == number


def test_a_whole_name_wins_over_those_that_it_is_a_part_of(folder):
    (folder / "video4").mkdir()
    (folder / "video4" / "name").write_text("C920\n")
    assert find("c920", folder) == 4
    assert find("webcam c920", folder) == 2


def test_an_ambiguous_name_lists_all_cameras(folder):
    with pytest.raises(SourceError) as raised:
        find("cam", folder)
    said = f"'cam' is a part of 2 cameras' names; cameras under /dev: {listed(folder)}. Give more of the name, or the"
    assert str(raised.value) == f"{said} number"
    assert listed(folder) == f'0 "{BUILT_IN}", 2 "{WEBCAM}", 10 "Dummy video device"'


def test_an_unknown_name_lists_all_cameras_and_where_a_file_was_looked_for(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError) as raised:
        find("logi", folder)
    assert f"no such file or folder: {tmp_path}/logi, and no camera of that name; " in str(raised.value)
    assert f"cameras under /dev: {listed(folder)}. Wanted" in str(raised.value)


def test_a_machine_without_cameras_says_so(tmp_path):
    assert cameras(tmp_path / "none") == {}
    with pytest.raises(SourceError, match="cameras under /dev: none"):
        find("C920", tmp_path / "none")


def test_a_node_that_goes_while_it_is_read_is_left_out(folder):
    (folder / "video2" / "name").unlink()
    assert find("C920", folder) == 3


def test_linux_lists_them_where_they_are_looked_for():
    if not CAMERAS.exists():
        pytest.skip("no cameras here, or not Linux")
    assert all((CAMERAS / f"video{number}" / "name").exists() for number in cameras().values())
