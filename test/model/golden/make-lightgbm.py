#!/usr/bin/python3
"""Makes the golden files of LightGBM: models, rows and the margins that the library gives.

Debian does not package the library. Its sources (4.1.0.99) come with the npm package lightgbm@1.0.27; built as its own documentation says:

    npm pack lightgbm@1.0.27 && tar xzf lightgbm-1.0.27.tgz && cd package/dependencies/LightGBM
    cmake -B build && make -C build _lightgbm
    PYTHONPATH=python-package LIGHTGBM_LIBRARY=$PWD/lib_lightgbm.so /usr/bin/python3 …/test/model/golden/make-lightgbm.py
"""

import os
import pathlib
import shutil

import numpy as np
import rows as golden

import importlib.util

# The package looks for the library beside itself.
package = pathlib.Path(importlib.util.find_spec("lightgbm").origin).parent
(package / "lib").mkdir(exist_ok=True)
shutil.copy(os.environ["LIGHTGBM_LIBRARY"], package / "lib" / "lib_lightgbm.so")
import lightgbm

ROWS = 9000
VERSION = "4.1.0.99"
KINDS = 40
MODELS = {
    "lightgbm-regression": dict(numeric=8, categorical=0, objective="regression"),
    "lightgbm-binary": dict(numeric=6, categorical=2, objective="binary", sigmoid=0.7),
    "lightgbm-zero": dict(numeric=6, categorical=0, objective="regression_l1", zero_as_missing=True),
    "lightgbm-nomissing": dict(numeric=5, categorical=1, objective="poisson", use_missing=False),
    "lightgbm-forest": dict(numeric=6, categorical=1, objective="binary", boosting="rf", bagging_freq=1, bagging_fraction=0.6, max_cat_to_onehot=64),
}


def thresholds_of(booster, numeric, categorical):
    found = [set() for _ in range(numeric)]

    def visit(node):
        if "split_feature" not in node:
            return
        if node["decision_type"] == "<=":
            found[node["split_feature"]].add(float(node["threshold"]))
        visit(node["left_child"])
        visit(node["right_child"])

    for tree in booster.dump_model()["tree_info"]:
        visit(tree["tree_structure"])
    return [sorted(own) for own in found] + [None] * categorical


for seed, (name, options) in enumerate(MODELS.items()):
    random = np.random.default_rng(20260700 + seed)
    options = dict(options)
    numeric, categorical = options.pop("numeric"), options.pop("categorical")
    inputs, score = golden.training(random, 6000, numeric, categorical, KINDS)
    inputs[:, 0] = np.where(random.random(len(inputs)) < 0.2, 0, inputs[:, 0])
    objective = options["objective"]
    target = (score > 0).astype(float) if objective == "binary" else random.poisson(np.exp(score / 4)) if objective == "poisson" else score
    data = lightgbm.Dataset(inputs, target, categorical_feature=list(range(numeric, numeric + categorical)), params={"verbose": -1, **options})
    settings = {"num_leaves": 48, "learning_rate": 0.1, "seed": seed, "num_threads": 1, "deterministic": True, "verbose": -1, **options}
    booster = lightgbm.train(settings, data, 100)
    text = booster.model_to_string().encode()
    rows = golden.probes(random, ROWS, thresholds_of(booster, numeric, categorical), KINDS, single=False)
    margins = booster.predict(rows, raw_score=True).astype("<f8")
    scores = booster.predict(rows).astype("<f8")
    golden.write(name, text, rows, np.column_stack([margins, scores]), {"library": f"LightGBM {VERSION}", "objective": objective})
