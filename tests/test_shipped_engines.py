from pathlib import Path

import pytest

from realtime.capture.source import open_source
from realtime.config import ROOT, load
from realtime.demo import truth
from realtime.engine.check import check
from realtime.labels import MEGC3
from realtime.pipeline.pipeline import Pipeline
from realtime.publish import Publisher
from realtime.recognition.heads import engines

PACKAGES = sorted(path.parent for path in (ROOT / "engines").glob("*/manifest.json"))


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.name)
def test_a_shipped_package_answers_here_as_it_was_exported(folder: Path):
    report = check(folder, load().engines)
    assert report.ok, report


def test_the_shipped_packages_together_stay_small():
    size = sum(path.stat().st_size for folder in PACKAGES for path in folder.iterdir())
    assert 5e6 < size < 12e6


@pytest.fixture(scope="module")
def events():
    config = load(overrides=["publish.state_port=0", "publish.events_port=0"])
    told = []
    with Publisher(config.publish) as publisher:
        source = open_source(str(truth.VIDEO), config.source, fast=True)
        Pipeline(config, source, publisher, engines(config), told.append).run()
    return told


def test_the_sample_is_read_as_it_was_scripted(events):
    score = truth.score(truth.load(), events, MEGC3)
    assert score.found >= score.micro - 1
    assert score.false == 0
    assert score.apex_error_ms_median is not None
    assert score.apex_error_ms_median < 50.0


def test_the_samples_smile_is_one_macro_expression_of_happiness(events):
    macros = [event for event in events if event.kind == "macro" and event.stage == "final"]
    assert [event.label for event in macros] == ["happiness"]


def test_an_early_answer_and_its_final_one_share_their_id(events):
    """What seemed a micro-expression and goes on is told again, as a macro-expression."""
    early = [(event.id, event.kind) for event in events if event.stage == "early"]
    final = [event.id for event in events if event.stage != "early"]
    assert {id for id, _ in early} == set(final)
    assert len(set(early)) == len(early)
    assert len(set(final)) == len(final)


def test_every_micro_expression_of_the_sample_is_named_as_it_was_scripted(events):
    score = truth.score(truth.load(), events, MEGC3)
    assert score.labelled is not None
    assert score.labelled >= score.found - 1
