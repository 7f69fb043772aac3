"""Makes mapping.json with the official Python library (protobuf from PyPI) and protoc: python make.py, in this folder.

`written`: random messages as the library writes them in JSON, beside their bytes. `read`: texts, and the bytes that the library reads
from them, or null where it refuses them."""

import json, random, subprocess, sys, tempfile
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory, __version__

with tempfile.NamedTemporaryFile() as out:
    subprocess.check_call(["protoc", "--include_imports", f"--descriptor_set_out={out.name}", "mapping.proto"])
    files = descriptor_pb2.FileDescriptorSet.FromString(out.read())
pool = descriptor_pool.DescriptorPool()
for file in files.file:
    pool.Add(file)
Ev = message_factory.GetMessageClass(pool.FindMessageTypeByName("t.v1.Ev"))
rnd = random.Random(7)

INTS = {"i32": 32, "s32": 32, "sx32": 32, "i64": 64, "s64": 64, "sx64": 64}
UINTS = {"u32": 32, "x32": 32, "u64": 64, "x64": 64}
REALS = [0.0, -0.0, 1.5, -2.25e-7, 1e300, 5e-324, 0.1, 123456789.123, float("inf"), float("-inf"), float("nan")]
TEXTS = ["", "a", "ü🎉\n\"\\\u2028", "x" * 40, "\u0000\u007f"]


def signed(bits):
    return rnd.choice([0, 1, -1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1)), rnd.randrange(-(2 ** (bits - 1)), 2 ** (bits - 1))])


def unsigned(bits):
    return rnd.choice([0, 1, 2**bits - 1, 2**53 + 1 if bits == 64 else 7, rnd.randrange(2**bits)])


def some():
    return rnd.random() < 0.4


def make():
    m = Ev()
    for name, bits in INTS.items():
        if some(): setattr(m, name, signed(bits))
    for name, bits in UINTS.items():
        if some(): setattr(m, name, unsigned(bits))
    if some(): m.d = rnd.choice(REALS)
    if some(): m.f = rnd.choice([0.0, 1.5, -0.1, 3.4028234663852886e38, 1e-45, float("nan"), float("inf")])
    if some(): m.b = rnd.random() < 0.5
    if some(): m.text_value = rnd.choice(TEXTS)
    if some(): m.raw = rnd.choice([b"", b"\0", b"\xfb\xff\xfe", bytes(range(50))])
    if some(): m.color = rnd.choice([0, 1, 7, -2, 99, -100])
    if some(): m.inner_one.long_name = rnd.choice(TEXTS)
    if some(): m.inner_one.z = signed(64)
    if some(): m.many_longs.extend(signed(64) for _ in range(3))
    if some(): m.words.extend(TEXTS)
    if some(): m.counts["k"] = signed(64); m.counts["ü\""] = 3
    if some(): m.at.seconds = rnd.choice([0, -1, 1785067200, 253402300799, -62135596800]); m.at.nanos = rnd.choice([0, 1, 500000000, 999999999])
    if some(): m.took.seconds = 0; m.took.nanos = rnd.choice([0, 1, -500000000])
    if some(): m.took.seconds = rnd.choice([5, 315576000000]); m.took.nanos = rnd.choice([0, 1, 123456789])
    if some(): m.took.seconds = -7; m.took.nanos = rnd.choice([0, -1, -120000000])
    if some(): m.mask.paths.extend(["a", "long_name.other_field", "x.y"])
    if some(): m.maybe = rnd.choice([0, -5])
    if some(): m.wd.value = rnd.choice(REALS)
    if some(): m.wf.value = 0.5
    if some(): m.wi64.value = signed(64)
    if some(): m.wu64.value = unsigned(64)
    if some(): m.wi32.value = signed(32)
    if some(): m.wu32.value = unsigned(32)
    if some(): m.wb.value = rnd.random() < 0.5
    if some(): m.ws.value = rnd.choice(TEXTS)
    if some(): m.wy.value = b"\xff\0"
    if some(): m.colors.extend([1, 7, 0])
    if some(): t = m.times.add(); t.seconds = 5; t.nanos = 10_000_000
    return m


written = []
for i in range(120):
    m = make()
    options = dict(preserving_proto_field_name=i % 3 == 1, use_integers_for_enums=i % 4 == 2, always_print_fields_with_no_presence=i % 5 == 3)
    try:
        text = json_format.MessageToJson(m, indent=None if i % 2 else 2, ensure_ascii=i % 7 == 0, **options)
    except (ValueError, json_format.Error):
        continue
    written.append({"json": text, "bytes": m.SerializeToString(deterministic=True).hex()})

VALUES = {
    "i32": ["1", "-1", "1.0", "1e3", "1.5", "\"7\"", "\"1e2\"", "\"1.0\"", "\"\"", "\" 1\"", "\"1 \"", "\"+1\"", "\"0x1\"", "2147483647", "2147483648", "-2147483648", "-2147483649", "true", "null", "[]", "{}", "1e10", "-0", "\"-0\"", "0.1e1", "10e-1", "\"NaN\"", "NaN"],
    "u32": ["0", "-1", "4294967295", "4294967296", "\"-1\"", "4294967295.0", "4.294967295e9", "-0"],
    "i64": ["9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "\"9223372036854775807\"", "1e18", "1.5"],
    "u64": ["18446744073709551615", "18446744073709551616", "\"18446744073709551615\"", "-1", "\"x\""],
    "d": ["1", "1.5e3", "\"1.5\"", "\"NaN\"", "\"Infinity\"", "\"-Infinity\"", "\"inf\"", "1e400", "-1e400", "\"\"", "true", "null", "\"1e5\"", "1e-400"],
    "f": ["1", "3.5e38", "-3.5e38", "\"Infinity\"", "1e-50"],
    "b": ["true", "false", "null", "0", "1", "\"true\"", "\"\""],
    "text_value": ["\"a\"", "\"\\u00e9\\ud83c\\udf89\"", "1", "null", "true", "[]", "\"\\ud800\"", "\"\\udc00x\""],
    "raw": ["\"\"", "\"AA==\"", "\"AA\"", "\"-_8\"", "\"+/8=\"", "1", "null"],
    "color": ["\"RED\"", "\"DEEP_BLUE\"", "7", "99", "-2", "\"PINK\"", "\"red\"", "1.0", "1.5", "null", "true"],
    "at": ["\"1970-01-01T00:00:00Z\"", "\"2026-07-26T12:00:00.123456789+02:00\"", "\"2026-07-26T12:00:00.5-23:59\"", "\"9999-12-31T23:59:59.999999999Z\"", "\"0001-01-01T00:00:00Z\"", "\"10000-01-01T00:00:00Z\"", "\"2026-02-29T00:00:00Z\"", "\"2026-07-26T24:00:00Z\"", "\"2026-07-26T12:60:00Z\"", "\"2026-07-26 12:00:00Z\"", "\"2026-07-26T12:00:00\"", "\"2026-07-26\"", "1700000000", "null", "{}"],
    "took": ["\"1s\"", "\"1.5s\"", "\"1.500s\"", "\"-1.000000001s\"", "\"0s\"", "\"-0.5s\"", "\"315576000000s\"", "\"315576000001s\"", "\"1\"", "\"1.1234567891s\"", "\"s\"", "\"1.s\"", "1", "null", "[]"],
    "mask": ["\"\"", "\"a\"", "\"a,b.cD\"", "\"a_b\"", "1", "null"],
    "wi64": ["5", "\"5\"", "9223372036854775807", "1.5", "null", "[]", "\"x\""],
    "wu32": ["-1", "4294967295", "4294967296"],
    "wb": ["true", "null", "0"],
    "ws": ["\"x\"", "\"\"", "1", "null"],
    "wy": ["\"/wA=\"", "\"?\"", "null"],
    "wd": ["1.5", "\"NaN\"", "true"],
    "words": ["[]", "[\"a\"]", "\"a\"", "[1]", "[null]", "null", "{}"],
    "counts": ["{}", "{\"a\":1}", "{\"a\":\"-5\"}", "{\"a\":null}", "[]", "{\"a\":1.5}", "{\"a\":{}}"],
    "inner_one": ["{}", "{\"longName\":\"x\",\"z\":\"-3\"}", "{\"long_name\":\"x\"}", "null", "[]", "1"],
    "many_longs": ["[1,\"2\",-9223372036854775808]", "[1.0]", "[\"x\"]", "1"],
    "times": ["[\"1970-01-01T00:00:00Z\"]", "[null]", "\"1970-01-01T00:00:00Z\""],
}
TEXTS_READ = [f'{{"{name}":{value}}}' for name, values in VALUES.items() for value in values]
TEXTS_READ += ['{"i32":1,"i32":2}', '{"textValue":"a","text_value":"b"}', '{"id":"a"}x', '{"id":"a",}', "{'id':'a'}", '{"id":"a"} ', "[]", "1", '"x"', "", "{"]
read = []
for text in TEXTS_READ:
    try:
        read.append({"json": text, "bytes": json_format.Parse(text, Ev()).SerializeToString(deterministic=True).hex()})
    except Exception:
        read.append({"json": text, "bytes": None})

json.dump({"made": f"protobuf {__version__}", "written": written, "read": read}, open("mapping.json", "w"), ensure_ascii=True, indent=0)
print(len(written), len(read), file=sys.stderr)
