#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets: inputs as people would write them, of real messages.

    seeds.py DIR        makes DIR/TARGET/seed-NAME, for each target

The formats of the inputs are in the head of each target (spec/fuzz/TARGET.c). The corpora in
spec/fuzz/corpus hold these, and what fuzzing added: see docs/testing.md.
"""
import pathlib
import struct
import sys


# protobuf, as little of it as the messages need

def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, value):
    """A field of a message: a number, or bytes (of a string, of a message, of packed numbers)."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(*fields):
    return b"".join(field(number, value) for number, value in fields)


def arg(kind, data, **more):
    return message((1, data), (2, more.get("size", len(data))), (3, kind))


def tensor(data, dims, kind):
    return message((1, data), (2, b"".join(varint(d) for d in dims)), (3, kind))


def node(name, index=0):
    return message((1, name), (2, index)) if index else message((1, name))


# enum vaccel_arg_type
INT32, INT32_ARRAY, INT64, UINT8 = 5, 6, 7, 9
FLOAT32, FLOAT32_ARRAY, FLOAT64, FLOAT64_ARRAY, UCHARS, STRING, CUSTOM = 17, 18, 19, 20, 26, 27, 29
FLOATS = struct.pack("<2f", 1.5, -2.0)


def blob(kind, name, data):
    return message((1, kind), (2, name), (3, data), (4, len(data)))


def register(kind=2, **more):
    fields = [(2, blob(1, "model", b"weights"))]
    if "paths" in more:
        fields = [(1, path) for path in more["paths"]]
    if "blobs" in more:
        fields = [(2, b) for b in more["blobs"]]
    fields += [(3, kind), (5, 1)]
    if "resource" in more:
        fields += [(4, more["resource"])]
    return message(*fields)


def genop_request(op, reads, writes):
    return message((1, 1), (2, arg(UINT8, bytes([op]))), *[(2, r) for r in reads],
                   *[(3, w) for w in writes])


MODEL = message((1, 1), (2, 1))
STATUS = message((3, 7), (4, "tf says no"))
FFI = message((2, 22))
FFI_WITH_STATUS = message((1, 1), (2, 1), (3, STATUS))
TORCH_RUN = message((1, 1), (2, 1), (4, tensor(FLOATS, [1, 2], 7)), (5, 1))
TF_RUN = message((1, 1), (2, 1), (3, b"options"), (4, node("in")), (5, node("out", 1)),
                 (6, tensor(FLOATS, [1, 2], 1)))
TFLITE_RUN = message((1, 1), (2, 1), (3, tensor(FLOATS, [1, 2], 1)), (4, 1))

# Each message that an agent takes, by its method; each family in the order of its table.
FAMILIES = [
    [("CreateSession", message((1, 0))), ("UpdateSession", message((1, 1), (2, 3))),
     ("DestroySession", message((1, 1)))],
    [("RegisterResource", register()), ("UnregisterResource", message((1, 1), (2, 1))),
     ("SyncResource", message((1, 1)))],
    [("ImageClassification", message((1, 1), (2, b"an image")))],
    [("Genop", genop_request(3, [arg(UCHARS, b"image")], [arg(UCHARS, bytes(8)), arg(UCHARS, bytes(8))]))],
    [("TensorflowModelLoad", MODEL), ("TensorflowModelUnload", MODEL), ("TensorflowModelRun", TF_RUN)],
    [("TensorflowLiteModelLoad", MODEL), ("TensorflowLiteModelUnload", MODEL),
     ("TensorflowLiteModelRun", TFLITE_RUN)],
    [("TorchModelLoad", MODEL), ("TorchModelRun", TORCH_RUN)],
    [("Hello", message((1, 1), (2, "luaccel"), (3, 1 << 28), (4, "noop")))],
    [("GetProfiler", message((1, 1)))],
    [("Upload", b"")],
    [("Info", b""), ("Sessions", b""), ("Close", message((1, 1))), ("Drain", b""), ("Reload", b""),
     ("Listen", message((1, "unix:///x,name=n,mode=0600,owner=2:2"))),
     ("Unlisten", message((1, "unix:///x"))), ("Record", b"")],
]

NUMBERS = arg(INT32_ARRAY, struct.pack("<4i", 1, 2, 3, 4))
REALS = arg(FLOAT32_ARRAY, struct.pack("<4f", 1, 2, 3, 4))
DOUBLES = arg(FLOAT64_ARRAY, struct.pack("<4d", 4, 3, 2, 1))
DOUBLE = arg(FLOAT64, bytes(8))
ONE, NOUGHT = (arg(FLOAT32, struct.pack("<f", n)) for n in (1, 0))
IMAGE, TEXT = arg(UCHARS, b"image"), arg(UCHARS, bytes(16))
FUNCTION = arg(STRING, b"function\0")


def int64(value):
    return arg(INT64, struct.pack("<q", value))


def int32(value):
    return arg(INT32, struct.pack("<i", value))


# The operations of Genop with what each takes: its number in enum vaccel_op_type, to read, to write.
TWO = int64(2)
GENOPS = {
    "noop": (0, [], []),
    "exec": (1, [arg(STRING, b"library\0"), FUNCTION, NUMBERS], [NUMBERS]),
    "exec-with-resource": (2, [int64(1), FUNCTION, NUMBERS], [NUMBERS]),
    "classify": (3, [IMAGE], [TEXT, TEXT]),
    "detect": (4, [IMAGE], [TEXT]),
    "segment": (5, [IMAGE], [TEXT]),
    "pose": (6, [IMAGE], [TEXT]),
    "depth": (7, [IMAGE], [TEXT]),
    "tf": (10, [], []),
    "sgemm": (17, [TWO, TWO, TWO, ONE, REALS, TWO, REALS, TWO, NOUGHT, TWO], [REALS]),
    "arraycopy": (18, [NUMBERS], [NUMBERS]),
    "mmult": (19, [REALS, REALS], [REALS]),
    "parallel": (20, [REALS, REALS], [REALS, REALS]),
    "vectoradd": (21, [REALS, REALS], [REALS]),
    "minmax": (22, [DOUBLES, int32(4), int32(1), int32(3)], [DOUBLES, DOUBLE, DOUBLE]),
    "opencv": (23, [FUNCTION, NUMBERS], [NUMBERS]),
}


def frame(stream, kind, body, flags=0):
    return struct.pack(">IIBB", len(body), stream, kind, flags) + body


def request(method, payload, service="vaccel.sync.agent.AgentService", *more):
    return message((1, service), (2, method), (3, payload), *more)


# the targets

def frames():
    body = request(*FAMILIES[0][0])
    yield "one", b"\1" + frame(1, 1, body)
    yield "three", b"\2" + frame(1, 1, body) + frame(3, 1, b"") + frame(5, 2, body)
    yield "skipped", b"\3" + frame(1, 3, b"skip me", 4) + frame(1, 1, body)
    yield "claim", b"\4" + struct.pack(">IIBB", 1 << 30, 1, 1, 0) + b"few"
    yield "long", b"\5" + frame(7, 1, bytes(range(256)) * 20) + frame(9, 1, body)


def decode():
    types = [
        request("Genop", b"payload", "service", (4, 1000), (5, message((1, "key"), (2, "value")))),
        message((1, message((1, 13), (2, "why"), (3, message((1, "type"), (2, FFI)))))), b"",
        FFI_WITH_STATUS, FAMILIES[0][0][1], message((1, 17)), FAMILIES[0][1][1], FAMILIES[0][2][1],
        register(blobs=[blob(1, "a", b"x"), blob(2, "b", bytes(600))]), message((1, 4)),
        FAMILIES[1][1][1], FAMILIES[1][2][1], message((1, blob(0, "", b"data"))),
        FAMILIES[2][0][1], message((1, bytes(1024))), FAMILIES[3][0][1], message((1, TEXT)),
        MODEL, message((2, STATUS)), MODEL, message((1, STATUS)), TF_RUN,
        message((1, tensor(FLOATS, [1, 2], 1)), (2, STATUS)), MODEL, MODEL, TFLITE_RUN,
        message((1, tensor(FLOATS, [1, 2], 1)), (2, STATUS)), MODEL, TORCH_RUN,
        message((1, tensor(FLOATS, [1, 2], 7))), FAMILIES[7][0][1], FAMILIES[7][0][1],
        message((1, 1)), message((1, message((1, "agent"), (2, message(
            (1, "region"), (2, message((1, message((1, 5), (2, 6)))))))))),
    ]
    for i, body in enumerate(types):
        yield "type%02d" % i, bytes([i, 0]) + body
    yield "little-memory", bytes([8, 9]) + message(*[(1, "path")] * 40)
    yield "empty-messages", bytes([15, 0]) + field(2, b"") * 200


# Steps of shared.c; `peer` and `number` as in its head.
def shared():
    def send(size, segmented=1, peer=0, cut=100):
        return step(0, peer, segmented) + bytes([size]) + struct.pack(">H", cut)

    write, read, settle, flush = step(1, 0, 15), step(2, 1, 15), step(3, 1), step(7)
    for settings in range(8):
        yield "long-%d" % settings, bytes([settings]) + (send(200) + write + read + settle) * 2 + flush
        yield "both-%d" % settings, bytes([settings]) + (
            send(20) + send(190, peer=1) + step(1, 1, 9) + step(2, 0, 9) + write + step(2, 1, 4)) * 3
        yield "plain-%d" % settings, bytes([settings]) + send(80, 0) + flush + send(22) + flush
        yield "taken-%d" % settings, bytes([settings]) + (
            send(220) + step(4, 1, 1) + bytes([0, 0, 1, 200]) + write + read) * 3
        yield "scribbled-%d" % settings, bytes([settings]) + (
            send(21) + write + step(5) + bytes([0, 7, 1]) + read + settle)
    yield "claimed", b"\0" + step(6, 0, 14) + struct.pack(">IIBBI", 40000, 0, 3, 128, 1 << 31 | 40000) + read
    yield "more-than-the-ring", b"\2" + step(6, 0, 14) + struct.pack(
        ">IIBBI", 40000, 0, 3, 128, 1 << 31 | 7001) + read


# Steps of conn.c; `peer` and `number` as in its head.
def step(what, peer=0, number=0):
    return bytes([what | peer << 3 | number << 4])


def conn_frame(body, stream=1, kind=0, peer=0, cut=0):
    return step(1, peer, cut) + bytes([kind, stream]) + struct.pack(">H", len(body)) + body


def conn():
    image = message((1, 5), (2, b"image"))
    later, now, never, failing, hanging = (
        request(m, image, "test") for m in ("later", "echo", "never", "fail", "close"))
    taking, making, idle = (request(m, b"", "test") for m in ("sum", "many", "idle"))
    turn, answer, hang_up, close, read = step(2), step(3), step(4, 0, 1), step(5), step(6, 0, 15)
    yield "echo", b"\0" + conn_frame(now) + turn + read
    yield "cut", b"\0" + b"".join(conn_frame(now, 1, 0, 0, n) + turn + read for n in range(1, 16, 4))
    yield "later", b"\1" + conn_frame(later) + conn_frame(later, 3) + turn + answer + turn + read
    yield "never", b"\0" + conn_frame(never) + turn + hang_up + turn
    yield "fail", b"\1" + conn_frame(failing) + turn + read
    yield "closed-within", b"\0" + conn_frame(hanging) + turn + answer
    yield "server-first", b"\2" + conn_frame(never) + conn_frame(later, 3, 0, 1) + turn
    yield "server-closes", b"\0" + conn_frame(later) + turn + close + answer
    yield "half-closed", b"\0" + conn_frame(later) + step(4) + turn + answer
    yield "same-stream", b"\0" + conn_frame(later) + conn_frame(later) + turn + read
    yield "too-many", b"\1" + b"".join(conn_frame(later, 1 + 2 * n) for n in range(6)) + turn + answer * 3 + turn
    yield "too-large", b"\1" + conn_frame(bytes(600)) + turn + read + conn_frame(now) + turn
    yield "not-read", b"\1" + b"".join(
        conn_frame(request("echo", message((2, bytes(400))), "test"), 1 + 2 * n) for n in range(12)
    ) + turn * 4 + step(7, 0, 1)
    yield "slow", b"\0" + step(0) + b"\5" + frame(1, 1, now)[:5] + turn + step(7)
    yield "metadata", b"\1" + conn_frame(
        request("echo", image, "test", *[(5, message((1, "k"), (2, "v")))] * 4)) + turn + read
    yield "no-ttrpc", b"\0" + step(0) + b"\x0a" + b"\xff" * 10 + turn
    yield "data", b"\0" + conn_frame(b"data", 1, 3) + conn_frame(now, 1, 2 << 2) + turn + read
    for name, settings in (("taken", b"\0"), ("taken-small", b"\1")):
        yield name, settings + conn_frame(taking, 1, 6 << 2) + turn + (
            conn_frame(image, 1, 3) + conn_frame(image + b"\x08\x05", 1, 3) + turn) * 2 + \
            conn_frame(b"", 1, 3 | 5 << 2) + turn + read
    yield "made", b"\0" + conn_frame(making, 1, 1 << 2) + (turn + read) * 30
    yield "made-not-read", b"\1" + conn_frame(making, 1, 2 << 2) + turn * 3 + hang_up
    yield "not-taken", b"\0" + conn_frame(idle, 1, 2 << 2) + conn_frame(image, 1, 3) * 66 + turn * 5 + \
        step(7, 0, 2) + turn + read
    yield "no-room", b"\1" + conn_frame(taking, 1, 2 << 2) + conn_frame(idle, 3, 2 << 2) + \
        conn_frame(message((2, bytes(400))), 3, 3) * 8 + turn * 3 + read
    yield "no-data-with-data", b"\0" + conn_frame(taking, 1, 2 << 2) + conn_frame(image, 1, 3 | 4 << 2) + turn
    yield "refused", b"\4" + b"".join(conn_frame(now) + hang_up + turn for _ in range(4))
    yield "few", b"\10" + conn_frame(now) + conn_frame(now, 1, 0, 1) + turn + read


def offer():
    def at(what, to=0, number=0):
        return step(what, to, number)

    small, no_hello, refuse, want = 1, 2, 4, 8
    long, many, turn = at(0, 1, 1), at(0, 0, 5) * 3, at(3)
    stream = at(1, 0, 0) + at(1, 0, 13) * 2 + at(1, 0, 2) + at(1, 0, 3) * 3

    def lie_offer(*kinds, split=0):
        return at(4, 1, len(kinds) | split) + bytes(kinds)

    def lie_frame(to, kind, flags, stream_id, body, number=0):
        return at(5, to, number) + bytes([kind, flags, stream_id, len(body)]) + body

    for name, settings in (("small", small), ("no-hello", no_hello), ("refuse", refuse), *(
            ("want-%d" % n, want * n) for n in range(5))):
        yield "calls-" + name, bytes([settings]) + long + many + long + at(0, 0, 1)
        yield "stream-" + name, bytes([settings]) + stream + many
    yield "lost", b"\0" + at(7, 0, 1) + many + long + at(0, 0, 13)
    yield "timeout", b"\0" + at(0, 0, 13) + at(7, 0, 2)
    yield "pieces", b"\0" + many + at(2, 0, 14) * 3 + turn + at(2, 1, 9) * 4
    for kind in (0, 1, 2, 3, 4, 5, 6, 8, 0x40):
        yield "offer-%d" % kind, b"\0" + lie_offer(kind) + many + long
    yield "offer-none", b"\0" + lie_offer() + many
    yield "offer-several", b"\0" + lie_offer(8, 0, 0x40, 3) + many
    yield "offer-too-many", b"\0" + lie_offer(0, 0, 0, 0, 0, 0) + many
    yield "offer-split", b"\0" + lie_offer(0, split=8) + many + lie_offer(0) + many
    yield "offer-later", b"\0" + many + lie_offer(0) + many + lie_offer(0, 0)
    head = struct.pack(">I", 1 << 31 | 5)
    yield "segment", b"\0" + many + lie_frame(0, 1, 128, 99, head + bytes(5)) + turn + at(0, 0, 1)
    yield "segments", b"\0" + many + at(0, 0, 5) + lie_frame(1, 2, 128, 11, head) + at(0, 0, 5)
    yield "long-lie", b"\0" + at(0, 0, 1) + lie_frame(0, 1, 0, 99, b"", 12) + turn + many
    for number in (0, 1, 3):
        yield "memory-%d" % number, b"\0" + many + at(6, 0, number) + b"\4\0\xff" + many + long
    yield "raw", b"\0" + many + at(7, 1, 0) + sized(b"\0\0\0\1") + many
    yield "gone", b"\0" + many + at(0, 0, 5) + turn + at(7, 0, 3) + many


# agent.c: what it prepares, and the families that each of its programs may call.
FEW, ALLOW, VERBOSE, SESSION, RESOURCE, LIBRARY, SHAKY = (1 << n for n in range(7))
RUN, BACK, SETTLE, LEAVE, DRAIN = step(3), step(4), step(5), step(6), step(7, 0, 1)
LUA = "/usr/include/luajit-2.1"
PARTS = {"session": [0, 7, 8], "resource": [1, 0], "image": [2, 0], "genop": [3, 0, 1],
         "models": [4, 5, 6, 0, 1], "upload": [9, 0, 1, 7], "control": [0, 1, 2, 10]}


def caller(parts):
    """Call a method of a family, as a program with these parts takes it."""
    def call(family, method, payload, peer=0, more=0):
        before = parts[:parts.index(family)]
        head = bytes([sum(len(FAMILIES[f]) for f in before) + method | more])
        if len(payload) < 256:
            return step(0, peer) + bytes([len(payload)]) + head + payload
        return step(1, peer) + struct.pack(">H", len(payload)) + head + payload
    return call


def begin(*settings):
    return bytes([sum(settings)])


def own_methods(target, families):
    call = caller(PARTS[target])
    for f in families:
        for m, (name, payload) in enumerate(FAMILIES[f]):
            for settings in (RESOURCE, RESOURCE | SHAKY, RESOURCE | FEW, RESOURCE | LIBRARY):
                yield "%s-%d" % (name, settings), begin(settings) + call(f, m, payload) + SETTLE
            yield name + "-foreign", begin(RESOURCE) + call(f, m, payload, 1) + SETTLE
            yield name + "-twice", begin(RESOURCE, VERBOSE) + call(f, m, payload) * 2 + RUN + BACK
            yield name + "-gone", begin(RESOURCE) + call(f, m, payload) + RUN + LEAVE
            yield name + "-bare", begin() + call(f, m, b"\xff", 0, 0xa0) + SETTLE


def session():
    call = caller(PARTS["session"])

    def create(hint=0, peer=0):
        return call(0, 0, message((1, hint)), peer)

    yield from own_methods("session", PARTS["session"])
    yield "moves-at-once", begin() + create(0x9000) + SETTLE
    yield "nowhere", begin() + create(0xB000) + SETTLE + create(0x4000) + SETTLE
    yield "by-hand", begin() + create() + RUN + create() + RUN + BACK + BACK + step(3) + step(4, 0, 1) + LEAVE
    yield "destroyed", begin(SESSION) + call(0, 2, message((1, 1))) * 2 + SETTLE + create(0, 1) + SETTLE
    yield "limits", begin(FEW) + (create() + SETTLE) * 4
    yield "draining", begin(SESSION) + DRAIN + create() + SETTLE
    yield "no-message", begin() + create(0, 1) + call(0, 0, b"", 0, 0x80) + call(0, 1, b"\xff", 0, 0x40) + SETTLE


def resource():
    call = caller(PARTS["resource"])

    def registering(*settings, **what):
        return begin(SESSION, *settings) + call(1, 0, register(**what)) + SETTLE

    yield from own_methods("resource", [1])
    yield "moves", registering(SHAKY, kind=1)
    yield "paths", registering(ALLOW, paths=["/etc/passwd"])
    yield "urls", registering(ALLOW, paths=["file:///dev/shm/x", "http://localhost/x"])
    yield "host-files", registering(ALLOW, paths=[LUA + "/lua.h", "file://" + LUA + "/luajit.h"])
    yield "host-none", registering(ALLOW, kind=1, paths=[LUA + "/../ev.h", LUA + "/none"])
    yield "host-directory", registering(ALLOW, paths=[LUA])
    yield "host-directories", registering(ALLOW, paths=["/usr/share/luajit-2.1.0-beta3"])
    yield "blobs", registering(blobs=[blob(2, "mapped", b"file"), blob(1, "", bytes(700))]) + \
        call(1, 2, message((1, 1))) + call(1, 1, message((1, 1), (2, 1))) + SETTLE
    yield "traversal", registering(blobs=[blob(2, "../../x", b"file")])
    yield "again", begin(RESOURCE) + call(0, 0, message((1, 0))) + SETTLE + call(
        1, 0, message((3, 2), (4, 1), (5, 2))) + SETTLE + call(1, 1, message((1, 1), (2, 1))) + SETTLE
    yield "limits", begin(FEW, SESSION) + (call(1, 0, register()) + SETTLE) * 4
    yield "sent-while-released", begin(RESOURCE) + call(1, 2, message((1, 1))) + call(
        1, 1, message((1, 1), (2, 1))) + SETTLE


def upload():
    call = caller(PARTS["upload"])
    opened, end = step(2, 0, 1), step(2, 0, 4)

    def data(payload, last=False):
        return step(2, 0, 3 if last else 2) + bytes([len(payload)]) + payload

    def offered(kind, *blobs):
        return data(message((1, message((1, 1), (2, kind), *[(3, b) for b in blobs]))))

    def part(size, kind=1, name="model", *more):
        return message((1, kind), (2, name), (3, size), *more)

    def piece(payload, last=False):
        return data(message((2, payload)), last)

    proof = (4, bytes(32)), (5, bytes(32))
    whole = opened + offered(2, part(5)) + piece(b"bytes", True)
    yield from own_methods("upload", [9])
    yield "whole", begin(SESSION) + whole + SETTLE
    yield "mapped", begin(SESSION) + opened + offered(1, part(5, 2), part(3, 1, "b")) + piece(b"by") + \
        piece(b"tes") + piece(b"abc") + end + SETTLE + call(1, 2, message((1, 1))) + SETTLE
    yield "library", begin(SESSION, ALLOW) + opened + offered(0, part(5, 2, "l.so")) + piece(b"bytes", True) + SETTLE
    yield "refused-library", begin(SESSION) + opened + offered(0, part(5)) + SETTLE
    yield "proved", begin(SESSION) + opened + offered(2, part(5, 1, "m", *proof)) + piece(b"bytes", True) + SETTLE
    yield "no-hello", begin() + call(0, 0, message((1, 0))) + SETTLE + whole + SETTLE
    yield "hello-again", begin(SESSION) + call(7, 0, b"") + whole + whole + SETTLE
    yield "too-long", begin(SESSION) + opened + offered(2, part(5)) + piece(b"bytes!") + SETTLE
    yield "too-short", begin(SESSION) + opened + offered(2, part(5)) + piece(b"byt") + end + SETTLE
    yield "gone", begin(SESSION) + opened + offered(2, part(5)) + piece(b"byt") + RUN + LEAVE + SETTLE
    yield "by-hand", begin(SESSION) + opened + offered(2, part(9)) + piece(b"byt") * 3 + RUN + BACK + RUN + end + SETTLE
    yield "claims", begin(SESSION) + opened + offered(2, part(1 << 40)) + SETTLE
    yield "traversal", begin(SESSION) + opened + offered(2, part(5, 2, "../x")) + SETTLE
    yield "no-session", begin(SESSION) + opened + data(message((1, message((1, 9), (2, 2), (3, part(5)))))) + SETTLE
    yield "moves", begin(SESSION, SHAKY) + whole + SETTLE
    yield "few", begin(SESSION, FEW) + whole * 3 + SETTLE
    yield "ends", begin(SESSION) + opened + end + SETTLE
    yield "ended-session", begin(SESSION) + opened + offered(2, part(5)) + call(0, 2, message((1, 1))) + \
        piece(b"bytes", True) + SETTLE
    yield "draining", begin(SESSION) + DRAIN + whole + SETTLE
    yield "beyond-window", begin(SESSION) + opened + offered(2, part(90)) + piece(b"1") * 12 + SETTLE


def image():
    call = caller(PARTS["image"])
    classify = call(2, 0, FAMILIES[2][0][1])
    yield from own_methods("image", [2])
    yield "session", begin(SESSION) + classify + SETTLE
    yield "none", begin(SESSION) + call(2, 0, message((1, 1))) + SETTLE
    yield "by-hand", begin(SESSION) + classify * 3 + step(3, 0, 2) + step(3) + step(4, 0, 1) + LEAVE + SETTLE
    yield "destroyed-while-waiting", begin(SESSION) + classify * 2 + call(0, 2, message((1, 1))) + SETTLE


def genop():
    call = caller(PARTS["genop"])
    yield from own_methods("genop", [3])
    for name, (op, reads, writes) in GENOPS.items():
        yield name, begin(ALLOW, RESOURCE, LIBRARY) + call(3, 0, genop_request(op, reads, writes)) + SETTLE
        yield name + "-shaky", begin(SESSION, SHAKY) + call(3, 0, genop_request(op, reads, writes)) + SETTLE
    first, second = arg(UCHARS, b"ima", size=5), arg(UCHARS, b"ge", size=5)
    first, second = first + message((5, 2), (6, 1)), second + message((5, 2), (6, 2))
    opened, end = step(2, 0, 1), step(2, 0, 4)

    def data(payload, last=False):
        return step(2, 0, 3 if last else 2) + bytes([len(payload)]) + payload

    yield "stream", begin(SESSION) + opened + data(genop_request(3, [IMAGE], [TEXT, TEXT])) + end + SETTLE
    yield "stream-parts", begin(SESSION) + opened + data(genop_request(3, [], [])) + \
        data(message((1, 1), (2, first))) + data(message((1, 1), (2, second))) + \
        data(message((1, 1), (3, TEXT), (3, TEXT)), True) + SETTLE
    yield "stream-mixed", begin(SESSION) + opened + data(message((1, 1), (2, first))) + \
        data(message((1, 1), (3, TEXT))) + end + SETTLE
    long = arg(UCHARS, b"123", size=4) + message((5, 2), (6, 1)), arg(UCHARS, b"123", size=4) + message((5, 2), (6, 2))
    yield "stream-too-long", begin(SESSION) + opened + b"".join(data(message((1, 1), (2, a))) for a in long)
    yield "stream-wrong-part", begin(SESSION) + opened + data(message((1, 1), (2, second)))
    yield "stream-left", begin(SESSION) + opened + data(message((1, 1), (2, first))) + LEAVE + SETTLE
    yield "stream-no-session", begin() + opened + data(message((1, 1), (2, first))) + SETTLE


def models():
    call = caller(PARTS["models"])
    families = [4, 5, 6]
    yield from own_methods("models", families)
    for f in families:
        for m, (name, payload) in enumerate(FAMILIES[f][1:], 1):
            loaded = call(f, 0, MODEL) + SETTLE + call(f, m, payload)
            yield name + "-loaded", begin(RESOURCE) + loaded + SETTLE
            yield name + "-unregistered", begin(RESOURCE) + loaded + call(1, 1, message((1, 1), (2, 1))) + SETTLE
    yield "two-outputs", begin(RESOURCE) + call(6, 0, MODEL) + SETTLE + call(
        6, 1, TORCH_RUN + message((5, 2))) + SETTLE
    yield "moves-for-operation", begin(RESOURCE, SHAKY) + call(6, 0, MODEL) + SETTLE + \
        call(6, 1, TORCH_RUN) + SETTLE + call(0, 2, message((1, 1))) + SETTLE
    yield "moves-for-model", begin(SESSION, SHAKY) + call(
        1, 0, register(2, blobs=[blob(1, "m", b"!")])) + SETTLE + call(6, 0, MODEL) + SETTLE
    yield "gone-while-running", begin(RESOURCE, VERBOSE) + call(6, 1, TORCH_RUN) + RUN + LEAVE + SETTLE


def control():
    call = caller(PARTS["control"])

    def ask(method, payload=None):
        return call(10, method, FAMILIES[10][method][1] if payload is None else payload, 1) + SETTLE

    info, sessions, close, drain, reload, listen, unlisten = (ask(m) for m in range(7))
    opened, end = step(2, 1, 1), step(2, 1, 4)
    work = call(0, 0, message((1, 0))) + call(2, 0, FAMILIES[2][0][1]) + SETTLE
    for name, asked in (("info", info), ("sessions", sessions), ("close", close), ("drain", drain),
                        ("reload", reload), ("listen", listen), ("unlisten", unlisten)):
        for settings in (RESOURCE, RESOURCE | SHAKY, FEW, VERBOSE):
            yield "%s-%d" % (name, settings), begin(settings) + asked + info
        yield name + "-at-work", begin(RESOURCE) + call(2, 0, FAMILIES[2][0][1]) + RUN + asked + sessions
        yield name + "-recorded", begin(RESOURCE) + opened + SETTLE + work + asked + end + SETTLE
        yield name + "-foreign", begin(RESOURCE) + call(10, 0, b"", 0) + SETTLE
    yield "one-session", begin(SESSION) + ask(1, message((1, 1))) + ask(1, message((1, 99)))
    yield "close-none", begin(SESSION) + ask(2, message((1, 99))) + close * 2
    yield "record", begin(RESOURCE) + opened + SETTLE + work * 2 + end + SETTLE
    yield "record-gone", begin(RESOURCE) + opened + SETTLE + work + step(6, 1) + work
    yield "record-many", begin(RESOURCE) + opened * 5 + SETTLE + work
    yield "record-single", begin(RESOURCE) + ask(7) + work
    yield "record-says", begin(RESOURCE) + opened + step(2, 1, 2) + b"\3abc" + SETTLE + work + end
    yield "record-drain", begin(RESOURCE) + opened + SETTLE + drain + work
    yield "listens", begin() + listen * 2 + ask(5, message((1, "tcp://127.0.0.1:1"))) + info + unlisten * 2
    for uri in ("unix:///x!", "tcp://0.0.0.0:1", "http://x", "unix:///x,what=1", "unix:///x,owner=1:1", ""):
        yield "listen-" + "".join(c for c in uri if c.isalnum()), begin() + ask(5, message((1, uri))) + info
    yield "no-message", begin() + ask(5, b"\xff") + ask(1, b"\xff") + info


HONEST, PAYLOAD, ENVELOPE, FAILURE, FRAME, RAW, HANG_UP, SILENCE, LIE = range(9)


def sized(data):
    if len(data) < 255:
        return bytes([len(data)]) + data
    return b"\xff" + struct.pack(">H", len(data)) + data


def client():
    calls = ["resource", "classify", "images", "exec", "sgemm", "minmax", "fpga", "tf_command",
             "tf_run", "tflite_run", "torch_run", "tflite_command", "torch_load", "update", "noop",
             "release"]
    honest = bytes([HONEST])

    def call(name, number=0):
        return bytes([calls.index(name) | number << 4])

    # The first call opens a session: Hello, CreateSession. Then the model is registered.
    first = call("resource") + honest * 3
    for name in calls:
        for variant in range(4):
            yield "%s-%d" % (name, variant), first + call(name, variant) + honest * 2

    # One number too many or too few, of what each answer tells.
    for name in ("exec", "torch_run", "classify"):
        for which in range(5):
            yield "%s-lie-%d" % (name, which), first + call(name) + bytes([LIE, which | 15 << 3])

    def payload(data):
        return bytes([PAYLOAD]) + sized(data)

    outs = message((1, tensor(FLOATS, [1, 2], 1)), (2, STATUS))
    for name in ("tf_run", "tflite_run", "torch_run"):
        yield name + "-answer", first + call(name) + payload(outs)
        yield name + "-two", first + call(name, 1) + payload(message(*[(1, tensor(FLOATS, [2], 1))] * 2))
        yield name + "-short", first + call(name) + payload(message((1, tensor(b"abc", [1, 1 << 40], 1))))
    yield "tf-status", first + call("tf_command") + payload(message((2, STATUS)))
    yield "sync", first + call("resource", 2) + payload(message((1, blob(0, "", bytes(32)))))
    yield "sync-long", first + call("resource", 2) + payload(message((1, blob(0, "", bytes(300)))))
    yield "exec-answer", first + call("exec") + payload(
        message((1, arg(INT32_ARRAY, bytes(12))), (1, arg(CUSTOM, bytes(8)))))
    yield "exec-long", first + call("exec") + payload(message((1, arg(INT32_ARRAY, bytes(13)))))
    for name, detail in (("ffi", FFI), ("status", FFI_WITH_STATUS), ("none", b"")):
        for of in ("tf_command", "tflite_run", "torch_load", "exec"):
            yield "fails-%s-%s" % (of, name), first + call(of) + bytes([FAILURE, 13]) + sized(detail)
    yield "other-service", call("update") + honest + bytes([FAILURE, 3, 0]) + honest + call("update") + honest
    yield "envelope", first + call("update") + bytes([ENVELOPE]) + sized(message((2, b"x")))
    yield "foreign-stream", first + call("update") + bytes([FRAME, 2, 0, 2]) + sized(b"x") + honest
    yield "data", first + call("update") + bytes([FRAME, 3, 0, 0]) + sized(b"x") + honest
    yield "half", first + call("update") + bytes([RAW]) + sized(frame(7, 2, b"abcd")[:9]) + bytes([HANG_UP])
    yield "hang-up", first + call("update") + bytes([HANG_UP]) + call("update") + first
    yield "silence", call("update") + bytes([SILENCE]) + honest * 2
    yield "pieces", call("resource") + bytes([HONEST | 1 << 4] * 3) + call("exec") + bytes([HONEST | 3 << 4])
    yield "huge", first + call("update") + bytes([RAW]) + sized(struct.pack(">IIBB", 1 << 29, 7, 2, 0))


def text():
    lines = [
        ["unix:///run/agent.sock", "unix://@name", "vsock://2:2048", "tcp://127.0.0.1:65500",
         "TCP://Example.org:1", "tcp://[::1]:65535", "tcp://[fe80::1%eth0]:0", "http://x", "unix://",
         "vsock://4294967295:4294967294", "tcp://localhost:65536"],
        ["frame=256M", "sessions=1,resources=2k", "held=1G,streams=64", "nothing=1", "frame=0",
         "connections=18446744073709551616", "write-timeout=30", "executing=4096"],
        ["exec", "lib,url", "path=/models", "path=/a,path=/a/b/", "plaintext", "path=relative", ""],
        ["-a\nunix:///tmp/x,name=n,mode=0660,owner=1:2", "-aunix://@x,name=y", "--limit\nframe=1k",
         "--allow=exec,url", "--threads\n4", "--drain-timeout\n250ms", "--drain-timeout=30s", "--check",
         "--version", "--help", "what", "--script\na.lua\n--script\nb.lua", "-a\ntcp://0.0.0.0:1",
         "-a\nvsock://1:2,mode=0660", "--vaccel-config\nplugins=a,log_level=4"],
        ["/etc/passwd", "file:///etc/passwd", "http://user@host:80/path?query", "https://[::1]/x",
         "ftp://host/x", "file://", "/dev/null", "/etc", "gopher://x", "http://"],
    ]
    for kind, texts in enumerate(lines):
        for i, line in enumerate(texts):
            yield "%d-%02d" % (kind, i), bytes([kind]) + line.encode()


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: seeds.py DIR")
    for target in (frames, decode, shared, offer, conn, session, resource, upload, image, genop, models,
                   control, client, text):
        folder = pathlib.Path(sys.argv[1], target.__name__)
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in target():
            (folder / ("seed-" + name)).write_bytes(data)


main()
