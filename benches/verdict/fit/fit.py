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
TREES = {"slow": 800, "urgent": 400}
RATE = {"slow": 0.15, "urgent": 0.12}
SCALES, SHAPED = 5, 6

# Two rows of three are of growth that some gate explains in every window. It is told from leaks without much ado, and what is
# hard shall count.
EXPLAINED = 0.3

# What more of a clue may say: 1 only for a leak, -1 only against one, 0 either. The rate of growth, its share and the
# time that is left are no evidence by themselves: what fills is fast as well.
SCALE = {"trend": 1, "relative": 0, "absolute": 0, "signal": 0, "slowing": 1, "spread": 1, "retained": 1,
         "novelty": 1, "give_back": 0, "left": 0, "evidence": 1}
BEFORE_STRONGEST = (
    # age, suspicion of earlier lives, beyond their plateau, their growth, since growth was seen, how long it lasted
    [0, 1, 1, 0, -1, 0]
    + list(SCALE.values()) * SCALES
    # halves and quarters of the life
    + [1, 1]
    # season: evidence, pattern, concordance, quiet hours, spread, slowing, worst day, relative, absolute, life
    + [1, 1, 1, 1, 1, 1, 1, 0, 0, 1]
)
CLUES = (
    BEFORE_STRONGEST
    # the strongest evidence
    + [1]
    # how long it has grown, also as a share of its age; how fast each scale grows, by the one above it
    + [1, 0] + [0] * (SCALES - 1)
    # likeness to growth that goes on, without and with all objections, and for what share of the window it has grown
    + [1, 1, 0] * SHAPED
)

# The same of a climb whose limit is near.
SIGNS = [
    # age of the growth, what is left, the one by the other, how long all was well by it
    0, 0, 1, 0,
    # likeness to growth that goes on: of this window, and of those twice and four times as long
    1, 1, 1,
    # spread, relative, absolute, signal, novelty, give_back, slowing
    1, 0, 0, 0, 1, 0, 1,
    # halves and quarters of the life, a warm-up that is known, age, suspicion of earlier lives, blocks of growth
    1, 1, -1, 0, 1, 0,
    # the rule: shape, persistence; slow evidence
    1, 1, 1,
]
MONOTONE = {"slow": CLUES, "urgent": SIGNS}
STRONGEST = len(BEFORE_STRONGEST)


def load(channel, path):
    rows = np.fromfile(path, dtype="<f4").reshape(-1, 1 + len(MONOTONE[channel]))
    return np.nan_to_num(rows[:, 1:], nan=np.nan, posinf=1e30, neginf=-1e30), rows[:, 0].astype(int)


def weights(channel, values):
    if channel == "urgent":
        return None
    return np.where(values[:, STRONGEST] > 0, 1.0, EXPLAINED)


def fit(channel, values, leaks):
    model = catboost.CatBoostClassifier(
        iterations=TREES[channel], depth=DEPTH, learning_rate=RATE[channel], l2_leaf_reg=30,
        monotone_constraints=MONOTONE[channel], rsm=0.6,
        bootstrap_type="Bernoulli", subsample=0.6, border_count=64, nan_mode="Min", random_seed=SEED, thread_count=2,
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


def write(model, path):
    scale, bias = model["scale_and_bias"]
    with open(path, "w") as out:
        out.write("//! Fitted by `benches/verdict/fit`; not to be changed by hand.\n\nuse super::Tree;\n\n")
        out.write(f"/// Log-odds to begin with.\npub(super) const BIAS: f64 = {float(np.ravel(bias)[0]):.4f};\n\n")
        out.write(f"#[rustfmt::skip]\npub(super) static TREES: [Tree; {len(model['oblivious_trees'])}] = [\n")
        for tree in model["oblivious_trees"]:
            questions = [question(split) for split in tree["splits"]]
            leaves = [round(100 * scale * value) for value in tree["leaf_values"]]
            # A tree that had no use for another question is asked one that nothing passes.
            while len(questions) < DEPTH:
                questions.append("(0, f32::MAX)")
                leaves += leaves
            row = f"questions: [{', '.join(questions)}], leaves: [{', '.join(map(str, leaves))}]"
            out.write(f"    Tree {{ {row} }},\n")
        out.write("];\n")


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in MONOTONE:
        sys.exit(__doc__)
    channel, rows, trees = sys.argv[1:]
    write(fit(channel, *load(channel, rows)), trees)
