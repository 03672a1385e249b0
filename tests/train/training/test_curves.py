import csv

from tensorboardX.proto.event_pb2 import Event, SessionLog

from train.training.curves import Curves

ROWS = [{"epoch": 1, "loss": 0.75, "rate": 0.5}, {"epoch": 2, "loss": 0.5, "rate": 0.25}]


def events(path):
    """Each record is its length (8 bytes), a checksum (4), the event, and another checksum."""
    data, found = path.read_bytes(), []
    while data:
        length = int.from_bytes(data[:8], "little")
        found.append(Event.FromString(data[12 : 12 + length]))
        data = data[16 + length :]
    return found


def scalars(found):
    return {(value.tag, event.step): value.simple_value for event in found for value in event.summary.value}


def test_the_curve_is_a_table_and_tensorboards_scalars(tmp_path):
    with Curves(tmp_path) as curves:
        for count in (1, 2):
            curves.write(ROWS[:count])
    with (tmp_path / "curve.csv").open(newline="") as file:
        assert [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)] == ROWS
    (path,) = tmp_path.glob("events.out.tfevents.*")
    assert scalars(events(path)) == {("loss", 1): 0.75, ("rate", 1): 0.5, ("loss", 2): 0.5, ("rate", 2): 0.25}


def test_another_process_tells_everything_anew_in_place_of_what_was_told(tmp_path, monkeypatch):
    with Curves(tmp_path) as curves:
        curves.write(ROWS)
    (before,) = tmp_path.glob("events.out.tfevents.*")
    before.rename(tmp_path / "events.out.tfevents.0.before")  # two may have the same second in their name
    with Curves(tmp_path) as curves:
        curves.write(ROWS)
    (after,) = (path for path in tmp_path.glob("events.out.tfevents.*") if not path.name.endswith("before"))
    found = events(after)
    starts = [event.step for event in found if event.session_log.status == SessionLog.START]
    assert starts == [1]  # from this step on, TensorBoard forgets the files before
    assert len(scalars(found)) == 4


def test_where_nothing_is_told_nothing_is_written(tmp_path):
    with Curves(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
