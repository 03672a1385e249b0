from realtime.view.upstream.camera_names import hide_others, is_browser_camera, new_camera_name


def test_names_do_not_repeat():
    assert len({new_camera_name() for _ in range(1000)}) == 1000


def test_only_ones_own_camera_is_named():
    own, other = new_camera_name(), new_camera_name()
    assert hide_others(f"{other} and {own}, sample", own) == f"another visitor and {own}, sample"


def test_a_browsers_camera_is_known_by_its_name():
    assert is_browser_camera(new_camera_name())
    assert not is_browser_camera("sample")
