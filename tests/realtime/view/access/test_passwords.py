import stat

import pytest
from typer.testing import CliRunner

from realtime.__main__ import app
from realtime.errors import ConfigError
from realtime.view.access.passwords import Password, users


@pytest.mark.promise(
    "a file of passwords that is copied",
    "a salted scrypt hash, mode 0600",
    "1 of 1",
)
def test_a_password_is_kept_as_a_hash_for_its_owner_alone(tmp_path):
    file = tmp_path / "ada.password"
    file.write_text("old")
    file.chmod(0o666)
    done = CliRunner().invoke(app, ["password", str(file)], input="correct horse\n")
    assert done.exit_code == 0, done.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "horse" not in file.read_text()
    kept = users([f"ada:{file}"])["ada"]
    assert kept.fits("correct horse")
    assert not kept.fits("correct horse ")
    again = CliRunner().invoke(app, ["password", str(tmp_path / "bob")], input="correct horse\n")
    assert again.exit_code == 0
    assert (tmp_path / "bob").read_text() != file.read_text()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("ada", "USER:FILE"),
        (":x", "USER:FILE"),
        ("ada:nowhere", "python -m realtime password nowhere"),
        ("ada:{odd}", "no password"),
    ],
)
def test_a_wrong_user_is_one_clear_error(given, told, tmp_path):
    odd = tmp_path / "odd"
    odd.write_text("hunter2")
    with pytest.raises(ConfigError, match=told):
        users([given.format(odd=odd)])


def test_a_user_is_named_once_and_a_password_is_long_enough(tmp_path):
    Password.made("long enough").write(tmp_path / "x")
    with pytest.raises(ConfigError, match="twice"):
        users([f"ada:{tmp_path / 'x'}"] * 2)
    with pytest.raises(ConfigError, match="at least"):
        Password.made("short")
