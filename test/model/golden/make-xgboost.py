#!/usr/bin/python3
"""Makes the golden files of XGBoost: models, rows and the margins that the library gives. Debian's python3-xgboost (1.7.4):

    apt-get install python3-xgboost && /usr/bin/python3 test/model/golden/make-xgboost.py
"""

import json
import pathlib
import tempfile

import numpy as np
import xgboost

import rows as golden

ROWS = 9000
MODELS = {
    "xgboost-squared": dict(numeric=8, categorical=0, objective="reg:squarederror", tree_method="exact"),
    "xgboost-logistic": dict(numeric=6, categorical=0, objective="binary:logistic", base_score=0.3, scale_pos_weight=2),
    "xgboost-onehot": dict(numeric=4, categorical=2, objective="binary:logistic", max_cat_to_onehot=64),
    "xgboost-partition": dict(numeric=4, categorical=2, objective="reg:squarederror", max_cat_to_onehot=1, base_score=-2.5),
    "xgboost-poisson": dict(numeric=5, categorical=1, objective="count:poisson", base_score=1.7, max_cat_to_onehot=4),
    "xgboost-forest": dict(numeric=5, categorical=0, objective="binary:logitraw", num_parallel_tree=4, subsample=0.7),
}
KINDS = 40


def thresholds_of(model, types):
    found = [set() if kind == "q" else None for kind in types]
    for tree in model["learner"]["gradient_booster"]["model"]["trees"]:
        for left, feature, condition in zip(tree["left_children"], tree["split_indices"], tree["split_conditions"]):
            if left != -1 and found[feature] is not None:
                found[feature].add(np.float32(condition))
    return [None if own is None else sorted(own) for own in found]


for seed, (name, options) in enumerate(MODELS.items()):
    random = np.random.default_rng(20260600 + seed)
    options = dict(options)
    numeric, categorical = options.pop("numeric"), options.pop("categorical")
    inputs, score = golden.training(random, 6000, numeric, categorical, KINDS)
    objective = options["objective"]
    target = (score > 0).astype(float) if objective.startswith("binary") else random.poisson(np.exp(score / 4)) if objective.startswith("count") else score
    types = ["q"] * numeric + ["c"] * categorical
    data = xgboost.DMatrix(inputs, target, feature_types=types, enable_categorical=True)
    settings = {"max_depth": 6, "eta": 0.1, "tree_method": "hist", "seed": seed, "nthread": 1, **options}
    trees = 100 if "num_parallel_tree" not in options else 25
    booster = xgboost.train(settings, data, trees)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.json"
        booster.save_model(path)
        text = path.read_bytes()
    rows = golden.probes(random, ROWS, thresholds_of(json.loads(text), types), KINDS, single=True)
    asked = xgboost.DMatrix(rows, feature_types=types, enable_categorical=True)
    margins = booster.predict(asked, output_margin=True).astype("<f4")
    scores = booster.predict(asked).astype("<f4")
    golden.write(name, text, rows, np.column_stack([margins, scores]), {"library": f"XGBoost {xgboost.__version__}", "objective": objective})
