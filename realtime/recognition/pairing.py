"""Whether engine packages can run together: one for every frame, one that finds events, others for the events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from realtime.engine.package.kind import of_kind
from realtime.engine.package.manifest import EMBEDDING, LOGITS, MEMORY, MODEL, STRENGTH, Manifest
from realtime.labels import NONE, VOCABULARIES
from realtime.recognition.groups import unknown
from realtime.representation.contract.misfit import EncoderAtHand
from realtime.representation.crop_images import CropImages
from realtime.representation.motion_ticks import MotionTicks
from realtime.representation.representation import Representation, tag_of

UNITS = "action-units"
SPOTS = VOCABULARIES["spotting-3"]
#: What scorers are fed (see `realtime.spotting.detector.scorer_of`), and the outputs that they take.
SPOTTERS: dict[type[Representation], tuple[str, ...]] = {MotionTicks: (LOGITS, MEMORY), CropImages: (LOGITS,)}


def compatible(encoder: Manifest, head: Manifest, crop_px: int) -> tuple[str, ...]:
    """Every reason why `encoder` on crops of `crop_px` and `head` on their events cannot run together; () if they can.

    A head of pictures needs no encoder, but each frame has one: it also tells the still expression.
    """
    return (*_encoder_reasons(encoder, crop_px), *_head_reasons(encoder, head, crop_px))


def unlike(heads: Sequence[Manifest]) -> Iterator[str]:
    """Every reason why `heads` cannot judge together: each must tell the same labels apart, with or without "none"."""
    yield from _repeated("head", heads)
    first = heads[0]
    for head in heads[1:]:
        if _told(head) != _told(first):
            yield (
                f"{head.name} tells {', '.join(_told(head))} apart, {first.name} {', '.join(_told(first))}: "
                'name engines of the same labels in engines.head, where only "none" may be missing'
            )


def _told(head: Manifest) -> list[str]:
    return sorted(set(head.labels) - {NONE})


def beside(encoder: Manifest, others: Sequence[Manifest]) -> Iterator[str]:
    """Every reason why `others` cannot judge macro-expressions with the encoder, which must know all that they tell.

    That are labels of its own, or groups of them such as "negative".
    """
    yield from _repeated("dynamic", others)
    for other in others:
        if strange := unknown(other.labels, encoder.labels):
            yield (
                f"{other.name} tells {', '.join(strange)}, of which {encoder.name} knows nothing: "
                'name another in engines.dynamic, or none by ""'
            )


def spotter_reasons(spotter: Manifest, crop_px: int) -> Iterator[str]:
    """Every reason why `spotter` cannot find the events of faces on crops of `crop_px`, by motion or by pictures."""
    if spotter.task != "spotting":
        yield f"it judges {spotter.task}: name another"
        return
    if spotter.labels != SPOTS:
        yield f"it tells {', '.join(spotter.labels)}, a spotter tells {', '.join(SPOTS)}: name another"
    outputs = SPOTTERS.get(type(spotter.representation))
    if outputs is None:
        kinds = " or ".join(map(tag_of, SPOTTERS))
        yield f"it judges {tag_of(spotter.representation)}, a spotter judges {kinds}: name another"
        return
    yield from (f"it {reason}" for reason in spotter.representation.misfits(None, crop_px))
    yield from _missing(spotter, *outputs)


def units_reasons(reader: Manifest, crop_px: int) -> Iterator[str]:
    """Every reason why `reader` cannot say which action units moved on crops of `crop_px`."""
    if reader.task != UNITS:
        yield f'{reader.name} judges {reader.task}, engines.units {UNITS}: name another, or none by ""'
        return
    yield from _missing(reader, LOGITS, STRENGTH)
    for reason in reader.representation.misfits(None, crop_px):
        yield f"{reader.name} {reason}"


def _repeated(key: str, engines: Sequence[Manifest]) -> Iterator[str]:
    names = [engine.name for engine in engines]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name} is named {names.count(name)} times in engines.{key}: name each engine once"


def _encoder_reasons(encoder: Manifest, crop_px: int) -> Iterator[str]:
    pictures = of_kind(CropImages, encoder)
    if pictures is None or encoder.task != "still-expression":
        yield (
            f"{encoder.name} judges {encoder.task} from {tag_of(encoder.representation)}, an encoder judges "
            f"still-expression from {tag_of(CropImages)}: name another as engines.encoder"
        )
    else:
        yield from (f"{encoder.name} {reason}" for reason in pictures.misfits(None, crop_px))
        yield from _missing(encoder, EMBEDDING, LOGITS)


def _head_reasons(encoder: Manifest, head: Manifest, crop_px: int) -> Iterator[str]:
    if head.task in ("still-expression", "spotting", UNITS):
        yield f"{head.name} judges {head.task}, a head judges events: name another as engines.head"
        return
    yield from _missing(head, LOGITS)
    for reason in head.representation.misfits(_at_hand(encoder), crop_px):
        yield f"{head.name} {reason}"


def _at_hand(encoder: Manifest) -> EncoderAtHand:
    widths = tuple(output.shape[-1] for output in encoder.outputs if output.name == EMBEDDING)
    return EncoderAtHand(encoder.name, encoder.files.get(MODEL, "none"), widths)


def _missing(manifest: Manifest, *names: str) -> Iterator[str]:
    found = [output.name for output in manifest.outputs]
    for name in names:
        if name not in found:
            yield f"{manifest.name} has the outputs {found}, wanted {name}: name another engine"
