#!/usr/bin/python3
"""Make the model and the images in examples/data: handwritten digits, the example that runs everywhere.

Trains a small convolutional network on the digits that scikit-learn ships (1797 images of 8x8
pixels), checks it on a quarter of them that it never saw, and writes

    digits.pt           the network as TorchScript, with its description in extra files
    heldout.bin         the digits that it never saw, as PNG images with their labels
    images/             twelve of them at a size for people, each as PNG and as JPEG

Seeds and threads are fixed: on the same package versions the same files come out.

    scripts/train-digits.py [DIRECTORY]         (Debian: python3-sklearn python3-torch python3-pil)
"""
import io
import os
import struct
import sys
import zipfile

import numpy
import torch
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SEED = 8
HELDOUT = 450
EPOCHS = 45
BATCH = 64
GOAL = 0.97
SHOWN_SIZE = 128
SHOWN_TWICE = (3, 8)  # digits that people confuse are shown twice

PREPROCESS = """\
# How to make this model's input of an image; plugins/torch/README.md has the keys.
width = 8
height = 8
channels = gray
resize = bilinear
scale = {scale:.10f}
mean = {mean:.6f}
std = {std:.6f}
invert = no
layout = nchw
output = logits
"""


class Digits(torch.nn.Module):
    """Two convolutions and two dense layers, about 38,000 weights."""

    def __init__(self):
        super().__init__()
        self.features = torch.nn.Sequential(
            torch.nn.Conv2d(1, 16, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.Conv2d(16, 32, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
        )
        self.classes = torch.nn.Sequential(
            torch.nn.Flatten(),
            torch.nn.Dropout(0.4),
            torch.nn.Linear(32 * 4 * 4, 64),
            torch.nn.ReLU(),
            torch.nn.Dropout(0.3),
            torch.nn.Linear(64, 10),
        )

    def forward(self, x):
        return self.classes(self.features(x))


def to_bytes(digits):
    """Counts of 0..16 as 8-bit pixels, ink bright."""
    return numpy.rint(digits.reshape(-1, 8, 8) * (255 / 16)).astype(numpy.uint8)


def seen_large(pixels):
    """The digit as it arrives when a larger image of it is made smaller again."""
    large = Image.fromarray(pixels).resize((SHOWN_SIZE, SHOWN_SIZE), Image.Resampling.BICUBIC)
    return numpy.asarray(large.resize((8, 8), Image.Resampling.BILINEAR))


def shifted(batch, generator):
    """Each image moved by at most one pixel in each direction."""
    padded = torch.nn.functional.pad(batch, (1, 1, 1, 1), value=float(batch.min()))
    moved = torch.empty_like(batch)
    offsets = torch.randint(0, 3, (len(batch), 2), generator=generator)
    for i, (y, x) in enumerate(offsets.tolist()):
        moved[i] = padded[i, :, y : y + 8, x : x + 8]
    return moved


def train(images, labels):
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    model = Digits()
    steps = EPOCHS * ((len(images) + BATCH - 1) // BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for _ in range(EPOCHS):
        order = torch.randperm(len(images), generator=generator)
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            optimizer.zero_grad()
            scores = model(shifted(images[chosen], generator))
            torch.nn.functional.cross_entropy(scores, labels[chosen], label_smoothing=0.02).backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def without_source_paths(module):
    """The same module, without the names and lines of the Python files on this machine."""
    saved, stripped = io.BytesIO(), io.BytesIO()
    torch.jit.save(module, saved)
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(stripped, "w") as new:
        for item in old.infolist():
            if not item.filename.endswith(".debug_pkl"):
                new.writestr(item, old.read(item))
    stripped.seek(0)
    return torch.jit.load(stripped)


def encode(pixels, kind, **options):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def write_heldout(path, images, labels):
    with open(path, "wb") as out:
        for pixels, label in zip(images, labels):
            png = encode(pixels, "PNG", optimize=True)
            out.write(struct.pack("<IB", len(png), label) + png)


def write_shown(folder, images, labels, right):
    """The first held-out digits of each class that are recognised in both sizes."""
    os.makedirs(folder, exist_ok=True)
    for label in range(10):
        wanted = 2 if label in SHOWN_TWICE else 1
        for n, i in enumerate(numpy.flatnonzero((labels == label) & right)[:wanted]):
            large = Image.fromarray(images[i]).resize((SHOWN_SIZE, SHOWN_SIZE), Image.Resampling.BICUBIC)
            name = os.path.join(folder, f"digit-{label}" + ("" if n == 0 else f"-{n + 1}"))
            large.save(name + ".png", optimize=True)
            large.save(name + ".jpg", quality=90, optimize=True)


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "..", "examples", "data")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    digits = load_digits()
    train_x, test_x, train_y, test_y = train_test_split(
        to_bytes(digits.data), digits.target, test_size=HELDOUT, stratify=digits.target,
        random_state=SEED)
    mean, std = train_x.mean() / 255, train_x.std() / 255

    def to_input(images):
        return ((torch.from_numpy(numpy.array(images)).float() / 255 - mean) / std).unsqueeze(1)

    both = numpy.concatenate([train_x, [seen_large(x) for x in train_x]])
    model = train(to_input(both), torch.from_numpy(numpy.concatenate([train_y, train_y])))

    with torch.no_grad():
        right = model(to_input(test_x)).argmax(1).numpy() == test_y
        large = model(to_input([seen_large(x) for x in test_x])).argmax(1).numpy() == test_y
    print(f"held-out digits: {len(test_y)}, right: {right.mean():.2%}, "
          f"right when enlarged to {SHOWN_SIZE}x{SHOWN_SIZE}: {large.mean():.2%}")
    if right.mean() < GOAL:
        sys.exit(f"train-digits.py: less than {GOAL:.0%} of the held-out digits are recognised; nothing written")

    os.makedirs(folder, exist_ok=True)
    traced = torch.jit.trace(model, torch.zeros(1, 1, 8, 8))
    torch.jit.save(without_source_paths(traced), os.path.join(folder, "digits.pt"), _extra_files={
        "luaccel/preprocess": PREPROCESS.format(scale=1 / 255, mean=mean, std=std),
        "luaccel/labels": "".join(f"{digit}\n" for digit in range(10)),
    })
    write_heldout(os.path.join(folder, "heldout.bin"), test_x, test_y)
    write_shown(os.path.join(folder, "images"), test_x, test_y, right & large)


if __name__ == "__main__":
    main()
