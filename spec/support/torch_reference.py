#!/usr/bin/python3
"""What libtorch answers when Python calls it: the other side of the torch plugin's tests.

    torch_reference.py classify MODEL FILE...
        One label a line, for every image of every FILE: a PNG or JPEG image, or a held-out set
        (examples/data/README.md has its format). Reads the model's own description, and decodes
        and resizes with Pillow.

    torch_reference.py make-odd DIRECTORY
        Models that test one thing each; see ODD below.

    torch_reference.py make-random SEED DIRECTORY
        A model with random weights, and what it makes of random input:
        model.pt        takes 1x3x20x16 (or any batch), gives scores (7) and features (8);
                        describes images of 16x20 RGB pixels
        runs.txt        one run a line, "INPUT:DIMS OUTPUT:DIMS OUTPUT:DIMS": names of files of
                        float32 in this machine's order, DIMS as 1x3x20x16
        images.txt      one image a line, "FILE LABEL"
"""
import io
import os
import struct
import sys

import numpy
import torch
from PIL import Image

DEFAULTS = {"scale": str(1 / 255), "mean": "0", "std": "1", "invert": "no", "layout": "nchw",
            "resize": "bilinear", "output": "logits"}
SHARPNESS = 8.0  # of the random model's scores
MARGIN = 1e-3  # between the best two scores of a random image, so that rounding decides nothing


class Model:
    """A TorchScript model with the description that travels in its extra files."""

    def __init__(self, path):
        extra = {"luaccel/preprocess": "", "luaccel/labels": ""}
        self.module = torch.jit.load(path, map_location="cpu", _extra_files=extra).eval()
        text = extra["luaccel/preprocess"].decode()
        lines = (line.strip() for line in text.splitlines())
        pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
        self.how = {**DEFAULTS, **{key.strip(): value.strip() for key, value in pairs}}
        self.labels = extra["luaccel/labels"].decode().splitlines()

    def number(self, key):
        return numpy.array([float(n) for n in self.how[key].split()], dtype=numpy.float32)

    def tensor(self, image_bytes):
        """The model's input for one encoded image."""
        gray = self.how["channels"] == "gray"
        image = Image.open(io.BytesIO(image_bytes))
        if gray and image.format == "JPEG":
            image.draft("L", image.size)  # the luminance itself, not by way of RGB
        pixels = numpy.asarray(image.convert("L" if gray else "RGB"), dtype=numpy.float32)
        size = int(self.how["width"]), int(self.how["height"])
        channels = pixels[:, :, None] if gray else pixels
        resized = numpy.stack([
            numpy.asarray(Image.fromarray(channels[:, :, c]).resize(size, Image.Resampling.BILINEAR))
            for c in range(channels.shape[2])], axis=-1)
        if self.how["invert"] == "yes":
            resized = 255 - resized
        values = (resized * self.number("scale") - self.number("mean")) / self.number("std")
        if self.how["layout"] == "nchw":
            values = values.transpose(2, 0, 1)
        return torch.from_numpy(numpy.ascontiguousarray(values[None], dtype=numpy.float32))

    def scores(self, image_bytes):
        with torch.inference_mode():
            result = self.module(self.tensor(image_bytes))
        return (result[0] if isinstance(result, tuple) else result).flatten()

    def label(self, image_bytes):
        best = int(self.scores(image_bytes).argmax())
        return self.labels[best] if self.labels else str(best)


def images_of(path):
    """The encoded images of a file: itself, or what a held-out set holds."""
    with open(path, "rb") as file:
        data = file.read()
    if data.startswith((b"\xff\xd8\xff", b"\x89PNG")):
        yield data
        return
    at = 0
    while at < len(data):
        size, _label = struct.unpack_from("<IB", data, at)
        yield data[at + 5 : at + 5 + size]
        at += 5 + size


def classify(model_path, paths):
    model = Model(model_path)
    for path in paths:
        for image in images_of(path):
            print(model.label(image))


class Random(torch.nn.Module):
    """Small, with the kinds of layers that real models have, and two outputs."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(3, 12, 3, padding=1)
        self.norm = torch.nn.BatchNorm2d(12)
        self.second = torch.nn.Conv2d(12, 16, 3, stride=2)
        self.features = torch.nn.Linear(16 * 9 * 7, 8)
        self.scores = torch.nn.Linear(8, 7)

    def forward(self, x):
        x = torch.relu_(self.norm(self.first(x)))
        x = torch.tanh(self.second(x)).flatten(1)
        features = torch.sigmoid(self.features(x))
        return self.scores(features) * SHARPNESS, features


def random_image(generator, kind):
    """Smooth colours rather than noise, at any size."""
    small = generator.integers(0, 256, (5, 4, 3), dtype=numpy.uint8)
    size = tuple(int(n) for n in generator.integers(7, 90, 2))
    data = io.BytesIO()
    Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(data, kind, quality=90)
    return data.getvalue()


def write_images(folder, model, generator):
    """Eight images, JPEG and PNG in turn, no two in a row of one class. Returns their tensors."""
    tensors, lines, last = [], [], None
    while len(lines) < 8:
        kind, suffix = ("PNG", "png") if len(lines) % 2 else ("JPEG", "jpg")
        image = random_image(generator, kind)
        label, top = model.label(image), model.scores(image).topk(2).values
        if label == last or top[0] - top[1] < MARGIN:
            continue
        name, last = f"image-{len(lines)}.{suffix}", label
        with open(os.path.join(folder, name), "wb") as out:
            out.write(image)
        lines.append(f"{name} {label}\n")
        tensors.append(model.tensor(image))
    with open(os.path.join(folder, "images.txt"), "w", encoding="ascii") as out:
        out.writelines(lines)
    return tensors


def write_runs(folder, model, inputs):
    def write(name, tensor):
        tensor.numpy().astype(numpy.float32).tofile(os.path.join(folder, name))
        return f"{name}:{'x'.join(map(str, tensor.shape))}"

    with open(os.path.join(folder, "runs.txt"), "w", encoding="ascii") as out:
        for i, tensor in enumerate(inputs):
            with torch.inference_mode():
                results = model.module(tensor)
            files = [write(f"run-{i}-in.f32", tensor)]
            files += [write(f"run-{i}-out{n}.f32", result) for n, result in enumerate(results)]
            out.write(" ".join(files) + "\n")


def save_random(module, path):
    traced = torch.jit.trace(module, torch.zeros(1, 3, 20, 16))
    torch.jit.save(traced, path, _extra_files={
        "luaccel/preprocess": "width = 16\nheight = 20\nchannels = rgb\n"
                              "mean = 0.485 0.456 0.406\nstd = 0.229 0.224 0.225\n",
        "luaccel/labels": "ash\nbirch\ncommon hazel\ndogwood\nelm\nfir\nginkgo\n",
    })
    return Model(path)


def make_random(seed, folder):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "model.pt")
    torch.manual_seed(seed)
    generator = numpy.random.default_rng(seed)
    module = Random().eval().requires_grad_(False)
    module.norm.running_mean.normal_()
    module.norm.running_var.uniform_(0.5, 2)
    # Without its own preference for a class, the image decides.
    model = save_random(module, path)
    scores = [model.scores(random_image(generator, "PNG")) for _ in range(50)]
    module.scores.bias -= torch.stack(scores).mean(0) / SHARPNESS
    model = save_random(module, path)
    inputs = [torch.randn(batch, 3, 20, 16) for batch in (1, 1, 2, 5)]
    write_runs(folder, model, inputs + write_images(folder, model, generator))


class Counter(torch.nn.Module):
    """Changes itself: gives how many runs there have been, and a hundred times as many."""

    def __init__(self):
        super().__init__()
        self.register_buffer("runs", torch.zeros(1))
        self.more: int = 0

    def forward(self, x):
        for _ in range(100):
            self.more += 1
        self.runs += 1
        return self.runs + 0 * x.sum(), torch.full([1], self.more)


class Saver(torch.nn.Module):
    def forward(self, x):
        torch.save(x, "/tmp/luaccel-torch-saver-was-here")
        return x


class Reader(torch.nn.Module):
    def forward(self, x):
        if x.sum() > 1e30:
            x = torch.from_file("/etc/hostname", False, 4, dtype=torch.float32)
        return x


class Printer(torch.nn.Module):
    def forward(self, x):
        print("a model printed this")
        return x * 2


class Echo(torch.nn.Module):
    def forward(self, x):
        return x


class Changer(torch.nn.Module):
    """Writes to its input, which is the caller's."""

    def forward(self, x):
        return x.add_(1)


class Several(torch.nn.Module):
    def forward(self, x, y):
        return [x + y, (x + y).sum(), x.new_empty([0, 3])]


class Double(torch.nn.Module):
    def forward(self, x):
        return x.double()


class Text(torch.nn.Module):
    def forward(self, x):
        return "no tensor"


class Nested(torch.nn.Module):
    def forward(self, x):
        return x, [x]


class Nan(torch.nn.Module):
    def forward(self, x):
        return x.new_full([1, 3], float("nan"))


class Scores(torch.nn.Module):
    """Three probabilities of any image; the second is the best."""

    def forward(self, x):
        return torch.tensor([[0.25, 0.625, 0.125]])


class Silent(torch.nn.Module):
    @torch.jit.export
    def other(self, x):
        return x


TINY = "width = 2\nheight = 2\nchannels = gray\n"
ODD = {
    "counter": (Counter, {}),
    "saver": (Saver, {}),
    "reader": (Reader, {}),
    "printer": (Printer, {}),
    "echo": (Echo, {}),
    "changer": (Changer, {}),
    "several": (Several, {}),
    "double": (Double, {}),
    "text": (Text, {}),
    "nested": (Nested, {}),
    "silent": (Silent, {}),
    "nan": (Nan, {"luaccel/preprocess": TINY}),
    "unlabelled": (Scores, {"luaccel/preprocess": TINY + "output = probabilities\n"}),
    "mislabelled": (Scores, {"luaccel/preprocess": TINY, "luaccel/labels": "one\ntwo\n"}),
    "misdescribed": (Scores, {"luaccel/preprocess": TINY + "colour = blue\n"}),
}


def make_odd(folder):
    os.makedirs(folder, exist_ok=True)
    for name, (kind, extra) in ODD.items():
        torch.jit.save(torch.jit.script(kind().eval()), os.path.join(folder, name + ".pt"),
                       _extra_files=extra)
    torch.save({"weights": torch.zeros(3)}, os.path.join(folder, "weights.pt"))


def main():
    torch.set_num_threads(1)
    if len(sys.argv) >= 4 and sys.argv[1] == "classify":
        classify(sys.argv[2], sys.argv[3:])
    elif len(sys.argv) == 3 and sys.argv[1] == "make-odd":
        make_odd(sys.argv[2])
    elif len(sys.argv) == 4 and sys.argv[1] == "make-random":
        make_random(int(sys.argv[2]), sys.argv[3])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
