"""Decoding: whatever a file holds becomes the RGB picture that a person would see, or one clear reason."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from pipeline.core.errors import ImageError
from pipeline.images.decode import load, open_file, upright_rgb

LIMIT = 10**6
RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)


def stored(image: Image.Image, kind: str, **options: object) -> Image.Image:
    """The image as it comes back from a file of this kind, not yet decoded."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return Image.open(buffer)


def halves(left: tuple[int, ...], right: tuple[int, ...], mode: str = "RGB") -> Image.Image:
    """A 16 x 8 picture of two colors."""
    image = Image.new(mode, (16, 8), left)
    image.paste(right, (8, 0, 16, 8))
    return image


def colors(image: Image.Image) -> tuple[list[int], list[int]]:
    """The colors in the middle of the left and of the right half."""
    pixels = np.asarray(image)
    return pixels[4, 3].tolist(), pixels[4, 12].tolist()


PICTURES: dict[str, tuple[Callable[[], Image.Image], tuple[int, int, int], tuple[int, int, int]]] = {
    "rgb": (lambda: stored(halves(RED, GREEN), "PNG"), RED, GREEN),
    "cmyk jpeg": (
        lambda: stored(halves((0, 255, 255, 0), (255, 0, 255, 0), "CMYK"), "JPEG", quality=95, subsampling=0),
        RED,
        GREEN,
    ),
    "cmyk tiff": (lambda: stored(halves((0, 255, 255, 0), (0, 0, 0, 0), "CMYK"), "TIFF"), RED, WHITE),
    "palette": (lambda: stored(halves(RED, GREEN).quantize(4), "PNG"), RED, GREEN),
    "palette with a clear color": (
        lambda: stored(halves(RED, GREEN).quantize(2, dither=Image.Dither.NONE), "PNG", transparency=b"\x00\x00"),
        WHITE,
        WHITE,
    ),
    "gray": (lambda: stored(Image.new("L", (16, 8), 120), "PNG"), (120, 120, 120), (120, 120, 120)),
    "black and white": (lambda: stored(Image.new("1", (16, 8), 1), "PNG"), WHITE, WHITE),
    "clear": (lambda: stored(halves((255, 0, 0, 255), (0, 0, 0, 0), "RGBA"), "PNG"), RED, WHITE),
    "half clear": (lambda: stored(halves((255, 0, 0, 128), (0, 0, 0, 255), "RGBA"), "PNG"), (255, 127, 127), (0, 0, 0)),
    "gray and clear": (lambda: stored(halves((0, 255), (0, 0), "LA"), "PNG"), (0, 0, 0), WHITE),
    "animated": (
        lambda: stored(halves(RED, GREEN), "GIF", save_all=True, append_images=[halves(GREEN, RED)]),
        RED,
        GREEN,
    ),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_colors_are_what_a_person_sees(kind: str) -> None:
    """A picture of each kind comes out with its colors right, within what JPEG loses."""
    make, left, right = PICTURES[kind]
    found = upright_rgb(make(), LIMIT)
    assert (found.mode, found.size) == ("RGB", (16, 8))
    np.testing.assert_allclose(colors(found), (left, right), atol=4)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(kind: str) -> None:
    """A 16-bit ramp keeps all its steps; clipping at 255 would turn nearly all of it white."""
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)
    found = np.asarray(upright_rgb(stored(Image.fromarray(np.tile(ramp, (8, 1))), kind), LIMIT))
    np.testing.assert_allclose(found[3, :, 1], np.linspace(0, 255, 64), atol=1)
    assert len(np.unique(found)) == 64


@pytest.mark.parametrize("kind", [None, "TIFF"])
@pytest.mark.parametrize(
    ("bits", "top", "white"), [(16, 65535, 255), (16, 255, 1), (32, 255, 255), (32, 65535, 255), (32, 2**30, 255)]
)
def test_integers_are_read_by_their_own_range(bits: int, top: int, white: int, kind: str | None) -> None:
    """16 bits are black to white over all their values; 32 over those of 8 or 16 that hold them, else by itself."""
    ramp = np.linspace(0, top, 64).astype(np.uint16 if bits == 16 else np.int32)
    image = Image.fromarray(np.tile(ramp, (8, 1)))
    found = np.asarray(upright_rgb(stored(image, kind) if kind else image, LIMIT))
    np.testing.assert_allclose(found[3, :, 0], np.linspace(0, white, 64), atol=1)


@pytest.mark.parametrize("top", [1.0, 255.0, 1e6])
def test_floating_point_values_fill_the_range(top: float) -> None:
    """Floating-point pictures come out from black to white, whichever of the usual ranges they are stored in."""
    ramp = np.linspace(0, top, 64, dtype=np.float32)
    found = np.asarray(upright_rgb(stored(Image.fromarray(np.tile(ramp, (8, 1))), "TIFF"), LIMIT))
    np.testing.assert_allclose(found[3, :, 0], np.linspace(0, 255, 64), atol=1)


def test_values_that_are_not_finite_are_refused() -> None:
    """A floating-point picture with a NaN is no picture."""
    values = np.zeros((8, 8), np.float32)
    values[0, 0] = np.nan
    with pytest.raises(ImageError, match="finite"):
        upright_rgb(Image.fromarray(values), LIMIT)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    """Whichever way a camera was held, the red mark is where the photographer saw it: at the top left."""
    upright = Image.new("RGB", (24, 16), WHITE)
    upright.paste(RED, (0, 0, 8, 8))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    turned = upright.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = upright_rgb(stored(turned, "JPEG", exif=exif, quality=95, subsampling=0), LIMIT)
    assert found.size == (24, 16)
    np.testing.assert_allclose(np.asarray(found)[3, 3], RED, atol=6)
    np.testing.assert_allclose(np.asarray(found)[12, 20], WHITE, atol=6)


def test_a_huge_image_is_refused_before_it_is_decoded() -> None:
    """The setting's limit, not Pillow's, holds for the size in the header: the missing pixels are never asked for."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    file = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    huge = Image.open(io.BytesIO(file + struct.pack(">I", 1000) + b"IDAT"))
    with pytest.raises(ImageError, match="at most 1,000,000 pixels, found 20000 x 20000"):
        upright_rgb(huge, LIMIT)


def noisy_jpeg() -> bytes:
    """A JPEG file whose pixels do not compress to nothing."""
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "JPEG")
    return buffer.getvalue()


BROKEN = {
    "zero bytes": (b"", "empty"),
    "truncated": (noisy_jpeg()[:1500], "cut short"),
    "text": (b"not an image at all", "not an image"),
    "damaged header": (b"\x89PNG\r\n\x1a\n" + b"\x00" * 64, "not an image"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_files_are_refused_with_their_reason(kind: str, tmp_path: Path) -> None:
    """A file that is no whole image is refused, and the reason says what is wrong with it."""
    content, reason = BROKEN[kind]
    path = tmp_path / "image.jpg"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=reason):
        load(lambda: open_file(path), LIMIT)


def test_a_whole_file_is_not_refused(tmp_path: Path) -> None:
    """The same file, not cut short, can be used."""
    path = tmp_path / "image.jpg"
    path.write_bytes(noisy_jpeg())
    assert load(lambda: open_file(path), LIMIT).size == (64, 64)


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"
WMF = struct.pack("<IHhhhhHIH", 0x9AC6CDD7, 0, 0, 0, 8, 8, 72, 0, 0) + b"\x01\x00\x09\x00" + bytes(64)
FITS = b"".join(
    line.ljust(80)
    for line in (b"SIMPLE  =                    T", b"BITPIX  =                    8", b"NAXIS   = 0", b"END")
)
NO_PICTURES = {
    "eps": EPS,
    "eps with a binary head": struct.pack("<4sIIIIIIH", b"\xc5\xd0\xd3\xc6", 32, len(EPS), 0, 0, 0, 0, 0xFFFF)
    + bytes(2)
    + EPS,
    "postscript": b"%!PS-Adobe-3.0\n(x) show showpage\n",
    "wmf": WMF,
    "pdf": b"%PDF-1.4\n1 0 obj\n<< >>\nendobj\n%%EOF\n",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "fits": FITS.ljust(2880),
    "mpeg": b"\x00\x00\x01\xb3\x01\x00\x10" + bytes(64),
    "grib": b"GRIB" + bytes(3) + b"\x01" + bytes(64),
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(64),
    "bufr": b"BUFR" + bytes(64),
}


@pytest.mark.parametrize("name", NO_PICTURES)
@pytest.mark.parametrize("ending", ["png", "jpg", "eps"])
def test_a_format_that_is_more_than_pixels_is_refused(name: str, ending: str, tmp_path: Path) -> None:
    """Programs, drawings and containers of other libraries are no images, whatever the file is called."""
    path = tmp_path / f"picture.{ending}"
    path.write_bytes(NO_PICTURES[name])
    with pytest.raises(ImageError, match="not an image, or of a format that is not read"):
        open_file(path)


def test_the_refused_formats_are_some_that_pillow_opens(tmp_path: Path) -> None:
    """Pillow alone would open most of those files, and a picture of an allowed format is opened under any name."""
    opened = {name for name, content in NO_PICTURES.items() if pillow_opens(content)}
    assert opened >= {"eps", "eps with a binary head", "wmf", "mpeg", "hdf5"}
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "ICO", "JPEG2000", "PCX", "SGI"):
        path = tmp_path / "picture.eps"
        Image.new("RGB", (16, 16), RED).save(path, kind)
        assert load(lambda path=path: open_file(path), LIMIT).size == (16, 16)  # type: ignore[misc]  # mypy infers no lambda with a default


def pillow_opens(content: bytes) -> bool:
    """Whether Pillow finds a format for this content."""
    try:
        return bool(Image.open(io.BytesIO(content)).format)
    except OSError:
        return False


def test_ghostscript_is_never_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image set of somebody else that opens a PostScript file itself gets a reason, and no program starts."""
    trace = tmp_path / "trace"
    (tmp_path / "gs").write_text(f"#!/bin/sh\n/usr/bin/touch {trace}\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImageError, match="Ghostscript"):
        load(lambda: Image.open(io.BytesIO(EPS)), LIMIT)
    assert not trace.exists()
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)  # Pillow's own default starts it
    with pytest.raises(ImageError):
        load(lambda: Image.open(io.BytesIO(EPS)), LIMIT)
    assert trace.exists()
