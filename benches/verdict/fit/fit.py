#!/usr/bin/env python3
"""Fits the trees of a channel to what it goes by on labelled series: fit.py slow|urgent ROWS.f32 TREES.rs

Symmetric trees by CatBoost, seeded: the same file gives the same trees. Needs what requirements.txt names.
"""
import json
import sys
import tempfile

import catboost
import numpy as np

DEPTH, SEED = 6, 0
TREES = {"slow": 800, "urgent": 800}
RATE = {"slow": 0.15, "urgent": 0.12}

# Two rows of three are of growth that some gate explains in every window. It is told from leaks without much ado, and what is
# hard shall count.
EXPLAINED = 0.3

# How many clues there are of each kind, in their order in src/detector/clues.rs; and how many signs.
CONTEXT, SCALES, SCALE, LIFE, SEASON, SHAPED, SHAPE = 6, 5, 11, 2, 10, 6, 3
STRONGEST = CONTEXT + SCALES * SCALE + LIFE + SEASON
GROWTH = 2 + SCALES - 1
VALUES = {"slow": STRONGEST + 1 + GROWTH + SHAPED * SHAPE, "urgent": 23}


def load(channel, path):
    rows = np.fromfile(path, dtype="<f4").reshape(-1, 1 + VALUES[channel])
    return np.nan_to_num(rows[:, 1:], nan=np.nan, posinf=1e30, neginf=-1e30), rows[:, 0].astype(int)


def weights(channel, values):
    if channel == "urgent":
        return None
    return np.where(values[:, STRONGEST] > 0, 1.0, EXPLAINED)


def fit(channel, values, leaks):
    model = catboost.CatBoostClassifier(
        iterations=TREES[channel], depth=DEPTH, learning_rate=RATE[channel], l2_leaf_reg=30,
        rsm=0.6, bootstrap_type="Bernoulli", subsample=0.6, border_count=64, nan_mode="Min", random_seed=SEED, thread_count=2,
        allow_writing_files=False, verbose=50)
    model.fit(values, leaks, sample_weight=weights(channel, values))
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        model.save_model(file.name, format="json")
        return json.load(file)


def question(split):
    border = np.float32(split["border"])
    # Whether a clue is known at all is asked as whether it is above the lowest number.
    above = "f32::MIN" if border < -1e30 else repr(float(f"{border:.6g}"))
    return f"({split['float_feature_index']}, {above})"


def tree(fitted, scale):
    questions = [question(split) for split in fitted["splits"]]
    leaves = [round(100 * scale * value) for value in fitted["leaf_values"]]
    # A tree that had no use for another question is asked one that nothing passes.
    while len(questions) < DEPTH:
        questions.append("(0, f32::MAX)")
        leaves += leaves
    return ", ".join(questions), ", ".join(map(str, leaves))


def write(model, path):
    scale, bias = model["scale_and_bias"]
    trees = [tree(fitted, scale) for fitted in model["oblivious_trees"]]
    with open(path, "w") as out:
        out.write("//! Fitted by `benches/verdict/fit`; not to be changed by hand.\n\nuse super::Trees;\n\n")
        out.write(f"/// Log-odds to begin with.\npub(super) const BIAS: f64 = {float(np.ravel(bias)[0]):.4f};\n\n")
        out.write(f"#[rustfmt::skip]\npub(super) static TREES: Trees<{len(trees)}> = Trees {{\n")
        for name, column in zip(("questions", "leaves"), zip(*trees)):
            out.write(f"    {name}: [\n" + "".join(f"        [{row}],\n" for row in column) + "    ],\n")
        out.write("};\n")


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in VALUES:
        sys.exit(__doc__)
    channel, rows, trees = sys.argv[1:]
    write(fit(channel, *load(channel, rows)), trees)
