"""Check that bench/html/scores.py gives the benchmarks' own figures, by running their code on the same texts.

    python bench/html/agreement.py --texts FOLDER --wcxb FOLDER --scrapinghub FOLDER --trafilatura FOLDER

FOLDER of `--texts` is what `evaluate.py --texts` wrote. Exit 1 where a figure differs by more than 1e-9.
"""

import argparse
import contextlib
import importlib.util
import io
import json
import sys
import types
from pathlib import Path
from typing import Any

import evaluate
from truths import load


def main() -> int:
    """Compare every file of texts with the code of its benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True)
    for name in OWN:
        parser.add_argument(f"--{name}", type=Path)
    asked = parser.parse_args()
    worst = 0.0
    for name, own in OWN.items():
        folder = getattr(asked, name)
        if folder is None:
            continue
        truths = load(folder)
        for path in sorted(asked.texts.glob(f"{name}-*.json")):
            texts = json.loads(path.read_bytes())
            ours, theirs = evaluate.SCORES[name](truths, texts), own(folder, texts)
            apart = max(abs(ours[key] - theirs[key]) for key in theirs)
            print(f"{path.stem}: {len(theirs)} figures, largest difference {apart:.1e}")
            worst = max(worst, apart)
    return int(worst > 1e-9)


def wcxb(folder: Path, texts: dict[str, str]) -> dict[str, float]:
    """Run WCXB's evaluate.py on the dev split."""
    own = _module(folder / "evaluate.py")
    with contextlib.redirect_stdout(io.StringIO()):
        rows = own.evaluate_results(own.load_ground_truth("dev"), texts)
    means = {
        name: sum(row[column] for row in rows) / len(rows)
        for name, column in (
            ("F1", "f1"), ("precision", "precision"), ("recall", "recall"), ("with", "with_rate"), ("without", "without_rate")
        )
    }  # fmt: skip
    for kind in evaluate.TYPES:
        of_kind = [row["f1"] for row in rows if row["page_type"] == kind]
        means[kind] = sum(of_kind) / len(of_kind)
    return means


def scrapinghub(folder: Path, texts: dict[str, str]) -> dict[str, float]:
    """Run Scrapinghub's evaluate.py, without its bootstrap."""
    own = _module(folder / "evaluate.py")
    truth = own.load_json(folder / "ground-truth.json")
    figures = own.evaluate(truth, {key: {"articleBody": text} for key, text in texts.items()}, 2)
    return {"own F1": figures["f1"], "own precision": figures["precision"], "own recall": figures["recall"]}


def trafilatura(folder: Path, texts: dict[str, str]) -> dict[str, float]:
    """Run trafilatura's eval_common.py, with its import of trafilatura itself replaced by nothing."""
    sys.modules.setdefault("trafilatura", types.SimpleNamespace(extract=str))  # type: ignore[arg-type]
    own = _module(folder / "tests" / "eval_common.py")
    matrix = own.ConfusionMatrix()
    for row in own.load_evaldata(str(folder / "tests")).values():
        matrix.add(own.count_item(row, texts[row["file"]]))
    return dict(zip(("precision", "recall", "accuracy", "F1"), matrix.scores(), strict=True))


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"own_{path.parent.name}_{path.stem}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


OWN = {"wcxb": wcxb, "scrapinghub": scrapinghub, "trafilatura": trafilatura}

if __name__ == "__main__":
    raise SystemExit(main())
