"""Train the model of what columns mean, judge it, and write it for TypeScript.

    python -m venv venv && venv/bin/pip install numpy==2.4.6 scikit-learn==1.9.1 lightgbm==4.7.0 scipy
    deno run -A models/column_types/features.ts data_train.csv features.jsonl
    OMP_NUM_THREADS=1 venv/bin/python models/column_types/train.py features.jsonl operators/convert/inference/semantic/model.json

Two linear models over hashed parts of the name and of the values, and boosted trees over the figures
and over what the linear models say. What those say of training columns comes from models that did not
see them.
"""

import base64
import json
import sys

import lightgbm
import numpy
from scipy.sparse import csr_matrix, diags
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedKFold

PLACES = 1 << 14
ROUNDS = 220


def read(path):
    rows = [json.loads(line) for line in open(path)]
    labels = sorted({row["label"] for row in rows})
    return {
        "labels": labels,
        "y": numpy.array([labels.index(row["label"]) for row in rows]),
        "group": numpy.array([row["record"] for row in rows]),
        "dense": numpy.array([row["dense"] for row in rows], dtype=float),
        "name": parts(rows, "nameParts"),
        "value": parts(rows, "valueParts"),
    }


def parts(rows, key):
    indices, ends = [], [0]
    for row in rows:
        indices += row[key]
        ends.append(len(indices))
    matrix = csr_matrix(
        (numpy.ones(len(indices), numpy.float32), indices, ends), shape=(len(rows), PLACES)
    )
    norms = numpy.sqrt(numpy.maximum(1, numpy.asarray(matrix.sum(1)).ravel()))
    return (diags(1 / norms) @ matrix).tocsr()


def linear(matrix, y, c):
    return LogisticRegression(C=c, max_iter=300).fit(matrix, y)


class Model:
    def fit(self, data, at):
        y = data["y"][at]
        said = []
        self.linear = {}
        for key, c in (("name", 10), ("value", 3)):
            matrix = data[key][at]
            out = numpy.zeros((len(at), len(data["labels"])))
            for a, b in StratifiedKFold(5, shuffle=True, random_state=7).split(at, y):
                out[b] = linear(matrix[a], y[a], c).decision_function(matrix[b])
            said.append(out)
            self.linear[key] = linear(matrix, y, c)
        self.trees = lightgbm.LGBMClassifier(
            n_estimators=ROUNDS, learning_rate=0.06, num_leaves=31, min_child_samples=10,
            colsample_bytree=0.3, subsample=0.8, subsample_freq=1, reg_lambda=1, n_jobs=1,
            random_state=1, verbose=-1,
        ).fit(numpy.hstack([data["dense"][at], *said]), y)
        return self

    def predict(self, data, at):
        said = [self.linear[key].decision_function(data[key][at]) for key in ("name", "value")]
        return self.trees.predict_proba(numpy.hstack([data["dense"][at], *said]))


def judge(data, splits):
    right, counts = 0, numpy.zeros((len(data["labels"]), 3))
    folds = []
    for train, test in splits:
        found = Model().fit(data, train).predict(data, test).argmax(1)
        y = data["y"][test]
        right += (found == y).sum()
        folds.append(round(float((found == y).mean()), 4))
        for label in range(len(data["labels"])):
            counts[label] += [
                ((found == label) & (y == label)).sum(), (found == label).sum(), (y == label).sum()
            ]
    f1 = {
        name: round(float(2 * both / max(1, found + there)), 4)
        for name, (both, found, there) in zip(data["labels"], counts)
    }
    return {"accuracy": round(float(right / len(data["y"])), 4), "folds": folds, "f1": f1}


def packed(array, dtype):
    return base64.b64encode(numpy.ascontiguousarray(array, dtype=dtype).tobytes()).decode()


def linear_json(model):
    scale = float(numpy.abs(model.coef_).max() / 127)
    return {
        "scale": scale,
        "bias": [round(float(b), 6) for b in model.intercept_],
        # A row a place, a column a class.
        "weights": packed(numpy.round(model.coef_.T / scale), "<i1"),
    }


def trees_json(model):
    """Nodes in preorder: the left child follows its parent, `right` says where the other one is."""
    features, thresholds, rights, starts = [], [], [], []

    def add(node):
        at = len(features)
        if "leaf_value" in node:
            features.append(-1)
            thresholds.append(node["leaf_value"])
            rights.append(0)
            return
        assert node["decision_type"] == "<="
        features.append(node["split_feature"])
        thresholds.append(node["threshold"])
        rights.append(0)
        add(node["left_child"])
        rights[at] = len(features) - at
        add(node["right_child"])

    for tree in model.booster_.dump_model()["tree_info"]:
        starts.append(len(features))
        add(tree["tree_structure"])
    return {
        "features": packed(features, "<i2"),
        "thresholds": packed(thresholds, "<f4"),
        "rights": packed(rights, "<u2"),
        "starts": packed(starts, "<u4"),
    }


def main(path, to):
    data = read(path)
    everything = numpy.arange(len(data["y"]))
    random = StratifiedKFold(5, shuffle=True, random_state=1).split(everything, data["y"])
    by_file = GroupKFold(5).split(everything, data["y"], data["group"])
    figures = {
        "columns": len(everything),
        "five folds of columns at random": judge(data, random),
        "five folds of whole files": judge(data, by_file),
    }
    print(json.dumps(figures, indent=2))
    model = Model().fit(data, everything)
    with open(to, "w") as file:
        json.dump({
            "labels": data["labels"],
            "figures": figures,
            "name": linear_json(model.linear["name"]),
            "value": linear_json(model.linear["value"]),
            "trees": trees_json(model.trees),
        }, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
