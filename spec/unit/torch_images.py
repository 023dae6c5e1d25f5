#!/usr/bin/python3
"""Make the images of spec/unit/torch_images, which torch_image.c and torch_preprocess.c read.

For each image NAME.png or NAME.jpg there are NAME.rgb and NAME.gray, the bytes that decoding it
must give, from Pillow or from how it was made. Run again only to add a kind of image.
"""
import os
import struct
import sys
import zlib

import numpy
from PIL import Image

FOLDER = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "torch_images")
WIDTH, HEIGHT = 13, 9
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def path(name):
    return os.path.join(FOLDER, name)


def expect(name, image, gray=None):
    with open(path(name + ".rgb"), "wb") as out:
        out.write(image.convert("RGB").tobytes())
    with open(path(name + ".gray"), "wb") as out:
        out.write((gray or image).convert("L").tobytes())


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(name, size, depth, colour, rows, interlace=0):
    """What Pillow cannot write: deep, interlaced and lying PNGs."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlace)
    with open(path(name + ".png"), "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header))
        out.write(chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def filtered(rows):
    return b"".join(b"\0" + row.tobytes() for row in rows)


def interlaced(pixels):
    return b"".join(filtered(pixels[y::dy, x::dx]) for x, y, dx, dy in ADAM7
                    if x < pixels.shape[1] and y < pixels.shape[0])


def main():
    os.makedirs(FOLDER, exist_ok=True)
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    rgb = numpy.stack([x * 255 // (WIDTH - 1), y * 255 // (HEIGHT - 1), (x * 37 + y * 59) % 256],
                      axis=-1).astype(numpy.uint8)
    image = Image.fromarray(rgb)
    alpha = Image.fromarray(((x + y) * 12).astype(numpy.uint8))
    transparent = image.copy()
    transparent.putalpha(alpha)
    gray_alpha = image.convert("L")
    gray_alpha.putalpha(alpha)
    palette = image.quantize(16)

    for name, made in (("rgb", image), ("gray", image.convert("L")), ("gray1", image.convert("1")),
                       ("rgba", transparent), ("gray-alpha", gray_alpha), ("palette", palette),
                       ("palette256", image.quantize(64))):
        made.save(path(name + ".png"), optimize=True)
        expect(name, made)
    palette.save(path("palette-transparent.png"), transparency=3, bits=4)
    expect("palette-transparent", palette)

    deep = rgb.astype(numpy.uint16) * 257
    png("rgb16", (WIDTH, HEIGHT), 16, 2, filtered(deep.astype(">u2")))
    expect("rgb16", image)
    png("gray16", (WIDTH, HEIGHT), 16, 0, filtered(deep[:, :, 0].astype(">u2")))
    expect("gray16", Image.fromarray(numpy.ascontiguousarray(rgb[:, :, 0])))
    png("interlaced", (WIDTH, HEIGHT), 8, 2, interlaced(rgb), 1)
    expect("interlaced", image)

    for name, made, options in (
            ("jpeg-rgb", image, {"subsampling": 0}), ("jpeg-420", image, {"subsampling": 2}),
            ("jpeg-gray", image.convert("L"), {}), ("jpeg-cmyk", image.convert("CMYK"), {}),
            ("jpeg-progressive", image, {"progressive": True, "subsampling": 0})):
        made.save(path(name + ".jpg"), quality=92, optimize=True, **options)
        gray = Image.open(path(name + ".jpg"))
        gray.draft("L", gray.size)  # the luminance itself, where the file has it
        expect(name, Image.open(path(name + ".jpg")), gray)

    # At the limit, above it, and far above it with no data at all.
    png("limit", (8192, 8192), 1, 0, bytes((1 + 8192 // 8) * 8192))
    png("above", (8192, 8193), 1, 0, bytes((1 + 8192 // 8) * 8193))
    png("huge", (0x7FFFFFFF, 0x7FFFFFFF), 16, 6, b"")
    with open(path("jpeg-gray.jpg"), "rb") as small, open(path("huge.jpg"), "wb") as out:
        data = small.read()
        at = data.index(b"\xff\xc0") + 5
        out.write(data[:at] + b"\xfd\xe8\xfd\xe8" + data[at + 4 :])

    # Pillow's own floating-point resampling of the green channel, smaller and larger.
    green = Image.fromarray(rgb[:, :, 1].astype(numpy.float32))
    for size in ((5, 4), (20, 17)):
        numpy.asarray(green.resize(size, Image.Resampling.BILINEAR)).tofile(
            path(f"green-{size[0]}x{size[1]}.f32"))


if __name__ == "__main__":
    main()
