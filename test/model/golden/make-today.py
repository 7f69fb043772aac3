#!/usr/bin/env python3
"""Makes today-*.json.gz: small models of every objective that is taken, by the libraries of the day, and what their predict gives, as hex.

    python3 -m venv /tmp/today && /tmp/today/bin/pip install xgboost==3.2.0 lightgbm==4.7.0 scikit-learn==1.9.0 pandas==3.1.1
    /tmp/today/bin/python test/model/golden/make-today.py

Every model is saved, read back and asked: what counts is what the file says. Rows share few values, so that they often meet thresholds.
"""

import gzip
import json
import pathlib
import warnings

import lightgbm
import numpy as np
import pandas as pd
import sklearn
import xgboost
from sklearn.linear_model import LinearRegression, LogisticRegression

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
TRAINED, ASKED = 1200, 400
NUMERIC = ["a", "b", "c", "d"]
KINDS = ["at", "ch", "de", "fr", "it", "us"]
TYPES = ["q"] * 4 + ["c"]


def table(seed, count, step):
    """Four numbers in steps, and the code of a category; some are missing."""
    random = np.random.default_rng(seed)
    numbers = np.round(random.normal(size=(count, 4)) / step) * step
    kinds = random.integers(0, len(KINDS), size=count).astype(float)
    score = np.sin(2 * numbers).sum(axis=1) + numbers[:, 0] * numbers[:, 1] + np.sin(3 * kinds)
    inputs = np.column_stack([numbers, kinds])
    inputs[random.random(inputs.shape) < 0.08] = np.nan
    return inputs, score


TRAIN, SCORE = table(1, TRAINED, 0.25)
ROWS, _ = table(2, ASKED, 0.125)
VALID, VALID_SCORE = table(3, 400, 0.25)
# As float32 on a threshold, as float64 beside it.
ROWS[::5, :4] *= 1 + 2.0**-28


def hexed(values, kind):
    return np.ascontiguousarray(np.asarray(values).ravel(), dtype=kind).tobytes().hex()


def labels(score, objective):
    if objective in ("binary", "cross_entropy", "cross_entropy_lambda") or objective.startswith(("binary:", "reg:logistic")):
        return (score > 0).astype(float)
    if objective.startswith(("rank", "lambdarank")):
        return (score > 0).astype(float) if objective == "rank:map" else np.clip(np.round(score + 2), 0, 4)
    if objective in ("poisson", "count:poisson", "tweedie", "reg:tweedie"):
        return np.random.default_rng(5).poisson(np.exp(score / 4)).astype(float)
    if objective in ("gamma", "reg:gamma") or objective.startswith("survival"):
        return np.exp(score / 4)
    return score


def pandas_table(inputs):
    frame = pd.DataFrame(inputs[:, :4], columns=NUMERIC)
    codes = np.where(np.isnan(inputs[:, 4]), -1, inputs[:, 4]).astype(int)
    frame["kind"] = pd.Categorical.from_codes(codes, categories=KINDS)
    return frame


def write(name, library, cases, **more):
    content = {"library": library, **more, "features": ROWS.shape[1], "rows": hexed(ROWS, "<f8"), "cases": cases}
    data = json.dumps(content, indent=1, ensure_ascii=False).encode()
    (HERE / f"today-{name}.json.gz").write_bytes(gzip.compress(data, 9, mtime=0))
    print(name, library, len(cases), "cases")


def xgboost_case(name, booster_or_text, inputs=ROWS, types=TYPES, iterations=None, values=None):
    text = booster_or_text if isinstance(booster_or_text, str) else booster_or_text.save_raw("json").decode()
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(text.encode()))
    frame = isinstance(inputs, pd.DataFrame)
    data = xgboost.DMatrix(inputs, feature_types=None if frame else types, enable_categorical=True)
    rounds = (0, booster.num_boosted_rounds()) if not isinstance(iterations, int) else (0, iterations)
    if iterations in (None, "best") and booster.attr("best_iteration") is not None:
        rounds = (0, int(booster.attr("best_iteration")) + 1)
    ranged = {} if json.loads(text)["learner"]["gradient_booster"]["name"] == "gblinear" else {"iteration_range": rounds}
    margins = booster.predict(data, output_margin=True, **ranged)
    if values is None:
        values = booster.predict(data, **ranged)
    case = {"name": name, "format": "xgboost", "margins": hexed(margins, "<f4"), "values": hexed(values, "<f4"), "model": text}
    return case if iterations is None else {**case, "iterations": iterations}


def train_xgboost(objective, rounds=8, target=None, inputs=TRAIN, types=TYPES, **options):
    target = labels(SCORE, objective) if target is None else target
    data = xgboost.DMatrix(inputs, target, feature_types=types, enable_categorical=True)
    if objective.startswith("rank:"):
        data.set_group([40] * (TRAINED // 40))
    if objective == "survival:aft":
        data.set_float_info("label_lower_bound", target)
        data.set_float_info("label_upper_bound", target * 1.5)
    if objective == "reg:quantileerror":
        options["quantile_alpha"] = 0.8
    settings = {"objective": objective, "max_depth": 4, "eta": 0.3, "seed": 7, "nthread": 1, "tree_method": "hist", "max_cat_to_onehot": 3}
    return xgboost.train({**settings, **options}, data, rounds)


def xgboost_cases():
    for objective in (
        "reg:squarederror reg:squaredlogerror reg:logistic reg:pseudohubererror reg:absoluteerror reg:quantileerror reg:gamma reg:tweedie "
        "binary:logistic binary:logitraw binary:hinge count:poisson survival:cox survival:aft rank:pairwise rank:ndcg rank:map"
    ).split():
        target = np.abs(SCORE) if objective == "reg:squaredlogerror" else None
        yield xgboost_case(objective, train_xgboost(objective, target=target))
    for objective in ("binary:logistic", "reg:logistic", "binary:hinge", "binary:logitraw"):
        for label in (0.0, 1.0):
            yield xgboost_case(f"{objective} of labels {label:.0f}", train_xgboost(objective, 2, np.full(TRAINED, label)))
    for base in (1e-9, 0.123, 0.7, 0.99999994):
        yield xgboost_case(f"base_score {base}", train_xgboost("binary:logistic", 2, base_score=base))
    yield xgboost_case("one-hot sets", train_xgboost("reg:squarederror", max_cat_to_onehot=64))
    yield xgboost_case("by loss", train_xgboost("binary:logistic", grow_policy="lossguide", max_leaves=20, max_depth=0))
    numeric = {"inputs": TRAIN[:, :4].copy(), "types": TYPES[:4]}
    numeric["inputs"] = np.column_stack([numeric["inputs"], np.nan_to_num(TRAIN[:, 4])])
    numeric["types"] = ["q"] * 5
    yield xgboost_case("exact", train_xgboost("reg:squarederror", tree_method="exact", **numeric), types=numeric["types"])
    forest = train_xgboost("binary:logistic", 3, num_parallel_tree=3, subsample=0.6)
    yield xgboost_case("forests", forest)
    yield xgboost_case("two rounds of forests", forest, iterations=2)
    for objective in ("binary:logistic", "count:poisson"):
        dart = train_xgboost(objective, 12, booster="dart", rate_drop=0.4, skip_drop=0.1)
        assert min(json.loads(dart.save_raw("json"))["learner"]["gradient_booster"]["weight_drop"]) < 1
        yield xgboost_case(f"dart {objective}", dart)
    for objective in ("reg:squarederror", "binary:logistic", "reg:gamma"):
        yield xgboost_case(f"gblinear {objective}", train_xgboost(objective, booster="gblinear", **numeric), types=numeric["types"])
    yield from xgboost_stopped_early()
    frame = xgboost.DMatrix(pandas_table(TRAIN), labels(SCORE, "binary"), enable_categorical=True)
    named = xgboost.train({"objective": "binary:logistic", "max_depth": 4, "nthread": 1, "max_cat_to_onehot": 1}, frame, 6)
    yield {**xgboost_case("names of categories", named, pandas_table(ROWS)), "categories": KINDS}


def xgboost_bases():
    """Margins of models without a tree that adds anything, by base_score."""
    random = np.random.default_rng(6)
    bases = {}
    for objective in ("binary:logistic", "count:poisson"):
        model = json.loads(train_xgboost(objective, 1, max_depth=1).save_raw("json"))
        tree = model["learner"]["gradient_booster"]["model"]["trees"][0]
        tree["split_conditions"] = [c if child != -1 else 0.0 for c, child in zip(tree["split_conditions"], tree["left_children"])]
        values = np.concatenate([random.random(1500), 10 ** random.uniform(-7, 0, 1500)]).astype(np.float32)
        texts = [f"[{np.format_float_scientific(value, exp_digits=1)}]" for value in values]
        margins = []
        for text in texts:
            model["learner"]["learner_model_param"]["base_score"] = text
            booster = xgboost.Booster({"nthread": 1})
            booster.load_model(bytearray(json.dumps(model).encode()))
            margins.append(booster.predict(xgboost.DMatrix(ROWS[:1], feature_types=TYPES, enable_categorical=True), output_margin=True)[0])
        bases[objective] = {"texts": texts, "margins": hexed(margins, "<f4")}
    return bases


def xgboost_stopped_early():
    """By the scikit-learn interface, whose own predictions are expected, and by train()."""
    target, check = labels(SCORE, "binary"), labels(VALID_SCORE, "binary")
    check[::3] = 1 - check[::3]
    wrapped = xgboost.XGBClassifier(n_estimators=60, learning_rate=0.5, max_depth=4, early_stopping_rounds=6, n_jobs=1, enable_categorical=True, feature_types=TYPES)
    wrapped.fit(TRAIN, target, eval_set=[(VALID, check)], verbose=False)
    path = pathlib.Path("/tmp/today-wrapped.json")
    wrapped.save_model(path)
    text = path.read_text()
    again = xgboost.XGBClassifier(enable_categorical=True, feature_types=TYPES)
    again.load_model(path)
    assert again.best_iteration + 1 < again.get_booster().num_boosted_rounds()
    values = again.predict_proba(ROWS)[:, 1]
    yield xgboost_case("XGBClassifier, stopped early", text, values=values)
    yield xgboost_case("XGBClassifier, stopped early: all", text, iterations="all")
    yield xgboost_case("XGBClassifier, stopped early: best", text, iterations="best", values=values)


def lightgbm_case(name, text, inputs=ROWS, iterations=None, values=None):
    booster = lightgbm.Booster(model_str=text)
    rounds = {} if iterations is None else {"num_iteration": iterations}
    margins = booster.predict(inputs, raw_score=True, num_threads=1, **rounds)
    if values is None:
        values = booster.predict(inputs, num_threads=1, **rounds)
    case = {"name": name, "format": "lightgbm", "margins": hexed(margins, "<f8"), "values": hexed(values, "<f8"), "model": text}
    return case if iterations is None else {**case, "iterations": iterations}


def train_lightgbm(objective, rounds=8, target=None, inputs=TRAIN, categorical=(4,), **options):
    by_name = objective if isinstance(objective, str) else "regression"
    target = labels(SCORE, by_name) if target is None else target
    group = [40] * (TRAINED // 40) if by_name.startswith(("rank", "lambdarank")) else None
    settings = {"objective": objective, "num_leaves": 12, "learning_rate": 0.2, "seed": 7, "num_threads": 1, "deterministic": True, "verbose": -1, **options}
    data = lightgbm.Dataset(inputs, target, group=group, categorical_feature=list(categorical), params=settings)
    return lightgbm.train(settings, data, rounds).model_to_string()


def lightgbm_cases():
    for objective in (
        "regression regression_l1 huber fair poisson quantile mape gamma tweedie binary cross_entropy cross_entropy_lambda lambdarank rank_xendcg"
    ).split():
        yield lightgbm_case(objective, train_lightgbm(objective))
    yield lightgbm_case("regression sqrt", train_lightgbm("regression", reg_sqrt=True))
    yield lightgbm_case("regression_l1 sqrt", train_lightgbm("regression_l1", reg_sqrt=True))
    yield lightgbm_case("binary sigmoid:2", train_lightgbm("binary", sigmoid=2.0))
    yield lightgbm_case("binary of labels 0", train_lightgbm("binary", 2, np.zeros(TRAINED)))
    yield lightgbm_case("binary of labels 1", train_lightgbm("binary", 2, np.ones(TRAINED)))
    yield lightgbm_case("a function of one's own", train_lightgbm(lambda score, data: (score - data.get_label(), np.ones(TRAINED))))
    yield lightgbm_case("dart", train_lightgbm("binary", 12, boosting="dart", drop_rate=0.4))
    forest = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6}
    yield lightgbm_case("rf", train_lightgbm("binary", **forest))
    yield lightgbm_case("rf regression sqrt", train_lightgbm("regression", reg_sqrt=True, **forest))
    yield lightgbm_case("rf, three trees", train_lightgbm("regression", **forest), iterations=3)
    yield lightgbm_case("three rounds", train_lightgbm("binary"), iterations=3)
    yield lightgbm_case("zero is missing", train_lightgbm("regression", zero_as_missing=True))
    yield lightgbm_case("nothing is missing", train_lightgbm("regression", use_missing=False))
    yield lightgbm_case("one-hot sets", train_lightgbm("regression", max_cat_to_onehot=64))
    wrapped = lightgbm.LGBMClassifier(n_estimators=200, learning_rate=0.5, num_leaves=12, n_jobs=1, verbose=-1)
    check = labels(VALID_SCORE, "binary")
    check[::3] = 1 - check[::3]
    wrapped.fit(TRAIN, labels(SCORE, "binary"), eval_set=[(VALID, check)], categorical_feature=[4], callbacks=[lightgbm.early_stopping(5, verbose=False)])
    assert wrapped.best_iteration_ < 150
    yield lightgbm_case("LGBMClassifier, stopped early", wrapped.booster_.model_to_string(), values=wrapped.predict_proba(ROWS)[:, 1])
    named = lightgbm.Dataset(pandas_table(TRAIN), labels(SCORE, "binary"))
    text = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1, "num_leaves": 12}, named, 6).model_to_string()
    yield {**lightgbm_case("names of categories", text, pandas_table(ROWS)), "categories": KINDS}


def sklearn_cases():
    inputs, rows = np.nan_to_num(TRAIN), np.nan_to_num(ROWS)
    names = [f"f{i}" for i in range(5)]

    def text(model):
        weights = dict(zip(names, np.ravel(model.coef_).tolist()))
        return json.dumps({"intercept": float(np.ravel(model.intercept_)[0]), "weights": weights, "defaults": dict.fromkeys(names, 0)})

    plain = LinearRegression().fit(inputs, SCORE)
    margins = hexed(plain.predict(rows), "<f8")
    yield {"name": "LinearRegression", "format": "linear", "margins": margins, "values": margins, "model": text(plain)}
    logistic = LogisticRegression().fit(inputs, SCORE > 0)
    values = hexed(logistic.predict_proba(rows)[:, 1], "<f8")
    yield {"name": "LogisticRegression", "format": "logistic", "margins": hexed(logistic.decision_function(rows), "<f8"), "values": values, "model": text(logistic)}


write("xgboost", f"XGBoost {xgboost.__version__}", list(xgboost_cases()), bases=xgboost_bases())
write("lightgbm", f"LightGBM {lightgbm.__version__}", list(lightgbm_cases()))
write("sklearn", f"scikit-learn {sklearn.__version__}", list(sklearn_cases()))
