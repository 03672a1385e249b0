"""The table of benchmarks/bench_peers.py, and what it makes of a peer that fails; the peers themselves run by hand."""

import importlib.util
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).with_name("benchmarks") / "bench_peers.py"

LOGGED = "W0000 00:00:1796030446.151110    8100 manager.cc:114] Disabling feedback."


@pytest.fixture
def bench(monkeypatch):
    spec = importlib.util.spec_from_file_location("bench_peers", PATH)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # where dataclass looks for it
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def peers(bench, monkeypatch):
    """One that can be measured, between two that cannot: one has no program, the other nothing to be installed from."""
    found = bench.Figures(version="quick 1.2", frames=400, wall_s=8.0, cpu_s=2.0, peak_mb=123.4, seen=0.995)
    quick, absent = (bench.Peer(name, "waits", apart=False) for name in ("quick", "absent"))
    bare = bench.Peer("bare", "waits", apart=True)
    measured = bench.measured
    monkeypatch.setattr(bench, "PEERS", (absent, quick, bare))
    monkeypatch.setattr(bench, "measured", lambda peer, *rest: found if peer is quick else measured(peer, *rest))
    return bench.PEERS


def test_a_row_tells_rate_cost_memory_and_what_is_done(bench):
    found = bench.Figures(version="fer 1.2", frames=400, wall_s=8.0, cpu_s=2.0, peak_mb=123.4, seen=0.995)
    told = bench.line(bench.Peer("fer", "names frames", apart=True), found)
    assert told == "| fer 1.2 | 50 | 5.0 | 123 MB | 100% | names frames |"
    assert told.count("|") == len(bench.COLUMNS) + 1


def test_a_program_that_fails_gives_the_last_that_it_said(bench):
    with pytest.raises(bench.PeerFailed, match=r"^ValueError: no weights$"):
        bench.run([sys.executable, "-c", "raise ValueError('no weights')"], 30)
    with pytest.raises(bench.PeerFailed, match=r"^nobody there$"):
        bench.run([sys.executable, "-c", f"raise SystemExit('nobody there\\n{LOGGED}')"], 30)
    with pytest.raises(bench.PeerFailed, match=r"^ended with 3, and said nothing$"):
        bench.run([sys.executable, "-c", "raise SystemExit(3)"], 30)
    with pytest.raises(bench.PeerFailed, match=r"^not done after 0\.1 s$"):
        bench.run([sys.executable, "-c", "import time; time.sleep(30)"], 0.1)


def test_a_peer_that_fails_is_told_in_one_line_and_the_others_go_on(bench, peers, monkeypatch, tmp_path, capsys):
    (tmp_path / "bare/bin").mkdir(parents=True)
    (tmp_path / "bare/bin/python").symlink_to(sys.executable)  # an environment that is there already
    bench.main(Path("clip.mp4"), 1.0, [peer.name for peer in peers], tmp_path)
    first, _, _, measured, *failed = capsys.readouterr().out.splitlines()
    assert "cores" in first
    assert first.endswith("clip.mp4, 1 s each")
    assert measured.startswith("| quick 1.2 | 50 |")
    assert len(failed) == 2
    assert failed[0].startswith("absent is left out: ")
    assert "No module named peers.absent" in failed[0]
    assert failed[1].startswith("bare is left out: ERROR: Could not open requirements file")


def test_the_clock_starts_after_the_first_frames_and_ends_by_itself(monkeypatch):
    monkeypatch.syspath_prepend(str(PATH.parent))
    clock = importlib.import_module("peers.clock")
    under = clock.Clock(0.05)
    given = list(under.over(iter(int, 1)))
    assert under.frames == len(given) - clock.WARM > 0
    assert 0.05 < under.wall_s < 5.0
    assert under.cpu_s > 0.0
