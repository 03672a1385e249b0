"""Whether engine packages can run together: one for every frame, one that finds events, others for the events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from realtime.engine.package.manifest import EMBEDDING, LOGITS, MEMORY, MODEL, Manifest, tag_of
from realtime.labels import NONE, VOCABULARIES
from realtime.recognition.groups import unknown
from realtime.representation.fields import FIELD_PX, LAG_S
from realtime.representation.preprocess import (
    ApexChange,
    ClipImages,
    CropImages,
    EmbeddingSequence,
    FlowFields,
    MotionTicks,
)

SPOTS = VOCABULARIES["spotting-3"]


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
    match spotter.representation:
        case MotionTicks() as ticks:
            yield from _tick_reasons(ticks, crop_px)
            yield from _missing(spotter, LOGITS, MEMORY)
        case CropImages() as picture:
            yield from _crop_reasons(spotter.name, picture, crop_px)
            yield from _missing(spotter, LOGITS)
        case other:
            yield f"it judges {tag_of(other)}, a spotter judges motion-ticks or crop-images: name another"


def _tick_reasons(ticks: MotionTicks, crop_px: int) -> Iterator[str]:
    if (ticks.crop_px, ticks.size_px, ticks.lag_s) != (crop_px, FIELD_PX, LAG_S):
        yield (
            f"it was trained on crops of {ticks.crop_px} px and fields of {ticks.size_px} over {ticks.lag_s:g} s, "
            f"wanted {crop_px} px, {FIELD_PX} and {LAG_S:g} s: train it again"
        )


def _repeated(key: str, engines: Sequence[Manifest]) -> Iterator[str]:
    names = [engine.name for engine in engines]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name} is named {names.count(name)} times in engines.{key}: name each engine once"


def _encoder_reasons(encoder: Manifest, crop_px: int) -> Iterator[str]:
    made_for = encoder.representation
    if not isinstance(made_for, CropImages) or encoder.task != "still-expression":
        yield (
            f"{encoder.name} judges {encoder.task} from {tag_of(made_for)}, an encoder judges still-expression from "
            "crop-images: name another as engines.encoder"
        )
    else:
        yield from _crop_reasons(encoder.name, made_for, crop_px)
        yield from _missing(encoder, EMBEDDING, LOGITS)


def _head_reasons(encoder: Manifest, head: Manifest, crop_px: int) -> Iterator[str]:
    if head.task in ("still-expression", "spotting"):
        yield f"{head.name} judges {head.task}, a head judges events: name another as engines.head"
        return
    yield from _missing(head, LOGITS)
    match head.representation:
        case EmbeddingSequence() as wanted:
            yield from _embedding_reasons(encoder, head.name, wanted)
        case (CropImages() as picture) | (ApexChange() as picture) | ClipImages(picture=picture):
            yield from _crop_reasons(head.name, picture, crop_px)
        case FlowFields() as fields:
            yield from _crop_reasons(head.name, fields, crop_px)
            if fields.size_px != FIELD_PX:
                yield f"{head.name} sees fields of side {fields.size_px}, {FIELD_PX} are made: train it again"


def _crop_reasons(name: str, picture: CropImages | ApexChange | FlowFields, crop_px: int) -> Iterator[str]:
    if picture.crop_px != crop_px:
        yield (
            f"{name} was trained on crops of {picture.crop_px} px, align.size_px is {crop_px}: "
            f"set align.size_px = {picture.crop_px} or name another engine"
        )


def _missing(manifest: Manifest, *names: str) -> Iterator[str]:
    found = [output.name for output in manifest.outputs]
    for name in names:
        if name not in found:
            yield f"{manifest.name} has the outputs {found}, wanted {name}: name another engine"


def _embedding_reasons(encoder: Manifest, name: str, wanted: EmbeddingSequence) -> Iterator[str]:
    if wanted.encoder != encoder.name:
        yield f"{name} was trained on {wanted.encoder}'s embeddings, not {encoder.name}'s: name them as a pair"
    found = encoder.files.get(MODEL, "none")
    if wanted.encoder_sha256 != found:
        yield (
            f"{name} was trained with {MODEL} {wanted.encoder_sha256[:12]} of its encoder, {encoder.name} has "
            f"{found[:12]}: restore that encoder or train the head again"
        )
    widths = [output.shape[-1] for output in encoder.outputs if output.name == EMBEDDING]
    if widths not in ([], [wanted.width]):
        yield (
            f"{name} takes embeddings of width {wanted.width}, {encoder.name} gives {widths[0]}: "
            "train the head on this encoder"
        )
