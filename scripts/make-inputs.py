#!/usr/bin/python3
"""Make the inputs of the examples that do not come from the digits: examples/data/images/example.jpg,
input/input_2048.csv, and beside them what torch_inference needs to know of digits.pt.

    scripts/make-inputs.py [FOLDER]

Needs python3-numpy, python3-pil. With the packages of Debian 12 it writes the same bytes each time.
"""

import os
import sys
import zipfile

import numpy
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 640, 480
NUMBERS = 2048


def scene():
    """Evening over water: a sky, a sun, its reflection, hills."""
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH].astype(numpy.float64)
    horizon = HEIGHT * 0.62
    sky = numpy.clip(y / horizon, 0, 1)
    pixels = numpy.stack([60 + 180 * sky, 70 + 90 * sky, 140 - 60 * sky], axis=-1)
    water = (y > horizon)[..., None]
    waves = 12 * numpy.sin(y / 3 + 4 * numpy.sin(x / 40))[..., None]
    pixels = numpy.where(water, pixels[::-1] * 0.6 + waves, pixels)
    glow = numpy.exp(-((x - WIDTH * 0.7) ** 2 + (y - horizon * 0.8) ** 2) / 9000)[..., None]
    pixels = pixels + glow * numpy.array([120, 90, 20])
    image = Image.fromarray(numpy.clip(pixels, 0, 255).astype(numpy.uint8))
    draw = ImageDraw.Draw(image)
    draw.ellipse((420, 215, 475, 270), fill=(255, 230, 150))
    for left, top, right, shade in ((-80, 190, 260, 50), (120, 230, 460, 40), (-160, 250, 180, 30)):
        draw.polygon([(left, horizon), ((left + right) // 2, top), (right, horizon)], fill=(shade, shade, shade + 25))
    return image


def numbers():
    """Like a price over a year: two waves and steps that a small generator makes."""
    state, level, values = 12345, 2500.0, []
    for i in range(NUMBERS):
        state = (1103515245 * state + 12345) % 2**31
        level += state / 2**31 * 20 - 10 + (2500 - level) * 0.01
        values.append(level + 60 * numpy.sin(i / 90) + 15 * numpy.sin(i / 7))
    return values


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "../examples/data")
    for name in ("images", "input", "labels"):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    scene().save(os.path.join(folder, "images/example.jpg"), quality=85, optimize=True)
    with open(os.path.join(folder, "input/input_2048.csv"), "w") as out:
        out.writelines(f"{value:.6f}\n" for value in numbers())
    with zipfile.ZipFile(os.path.join(folder, "digits.pt")) as model:
        for member, name in (("preprocess", "digits.pt.preprocess"), ("labels", "labels/digits.txt")):
            with open(os.path.join(folder, name), "wb") as out:
                out.write(model.read("digits/extra/luaccel/" + member))


main()
