"""Rows that find out how a library compares: values on, beside and far from a model's own thresholds, missing ones, categories that it
knows and others. Used by the scripts that make the golden files; seeded, so that a run repeats them."""

import gzip
import json
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent


def training(random, count, numeric, categorical, classes):
    """Inputs (count x (numeric + categorical), NaN where missing) and a target that leans on all of them."""
    numbers = random.normal(size=(count, numeric)).round(3)
    kinds = random.integers(0, classes, size=(count, categorical)).astype(np.float64)
    score = np.sin(2 * numbers).sum(axis=1) + 0.5 * numbers[:, 0] * numbers[:, 1]
    if categorical:
        effect = random.normal(size=classes)
        score = score + effect[kinds.astype(int)].sum(axis=1)
    inputs = np.hstack([numbers, kinds])
    inputs[random.random(inputs.shape) < 0.08] = np.nan
    return inputs, score


def probes(random, count, thresholds, kinds, single):
    """count x inputs, float64. `thresholds`: by input, of the model; None: categories, `kinds` of them known."""
    columns = []
    for own in thresholds:
        if own is None:
            known = random.integers(0, kinds, size=count).astype(np.float64)
            odd = random.choice([kinds, kinds + 31, 64, 1000, 2.0**24, -1.0, 0.5], size=count)
            column = np.where(random.random(count) < 0.85, known, odd)
        else:
            column = random.normal(size=count).round(3)
            on = random.choice(np.asarray(own if len(own) else [0.0]), size=count)
            step = np.float32 if single else np.float64
            up = np.nextafter(on.astype(step), step(np.inf)).astype(np.float64)
            down = np.nextafter(on.astype(step), step(-np.inf)).astype(np.float64)
            # Rounds to the threshold as a float32, lies beside it as a float64.
            near = on * (1 + random.choice([-1, 1], size=count) * 2.0**-28)
            far = random.choice([0.0, -0.0, 1e30, -1e30, 1e-40, -1e-40, 1e-35, 2e-35], size=count)
            pick = random.random(count)
            for limit, values in ((0.65, on), (0.45, up), (0.35, down), (0.25, near), (0.15, far)):
                column = np.where(pick < limit, values, column)
        column = np.where(random.random(count) < 0.1, np.nan, column)
        columns.append(column)
    return np.column_stack(columns)


def write(name, model, rows, margins, about):
    """`margins`: as the library gives them, float32 or float64."""
    folder = HERE
    compress = lambda data: gzip.compress(data, 9, mtime=0)
    (folder / f"{name}.model.gz").write_bytes(compress(model))
    (folder / f"{name}.rows.gz").write_bytes(compress(np.ascontiguousarray(rows.T, dtype="<f8").tobytes()))
    (folder / f"{name}.margins.gz").write_bytes(compress(np.ascontiguousarray(margins).tobytes()))
    (folder / f"{name}.json").write_text(json.dumps({**about, "rows": rows.shape[0], "features": rows.shape[1]}, indent=2) + "\n")
    print(name, rows.shape, margins.dtype, len(np.unique(margins)))
