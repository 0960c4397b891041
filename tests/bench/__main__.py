"""Print the table, row by row."""

import argparse
import warnings

from models.zoo import EMOTION_MODELS
from tests.bench import annotation, camera, costs, dataset, delay, libraries, page, timing

PARTS = {
    "answers": page.answers,
    "costs": costs.rows,
    "shap_gradient": libraries.shap_by_gradients,
    "shap_partition": libraries.shap_by_partition,
    "cam": libraries.class_activation_maps,
    "side_by_side": page.side_by_side,
    "trust": page.trust,
    "memory": page.memory,
    "page": page.page,
    "annotate": annotation.rows,
    "data": dataset.rows,
    "live": camera.rows,
    "live_delay": delay.rows,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"all unless named: {', '.join(PARTS)}")
    parser.add_argument("--turns", type=int, default=7, help="how often each call is timed")
    parser.add_argument("--models", nargs="+", choices=EMOTION_MODELS, default=list(EMOTION_MODELS))
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    warnings.simplefilter("ignore")  # keras on the libraries' way to call a network
    models = timing.models(given.models)
    print("| what | measured | limit | holds |\n|---|---|---|---|", flush=True)
    missing = []
    for name in given.parts or PARTS:
        try:
            for row in PARTS[name](models, given.turns):
                print(row, flush=True)
        except Exception as error:
            missing.append(f"Not measured: {name} ({type(error).__name__}: {error}).")
    print("", *missing, sep="\n")


if __name__ == "__main__":
    main()
