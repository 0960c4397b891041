"""How the parts of a face count together: exact Shapley interaction values, and each part alone and left out."""

from dataclasses import dataclass
from math import factorial
from typing import TYPE_CHECKING

import numpy as np

from explain.base import Target
from explain.methods.masking import baseline_picture, blends
from models import regions
from models.errors import ParameterError
from models.types import Face

if TYPE_CHECKING:
    from models.model import Model

FILLS = ("mean face", "blur", "grey")
"""What hidden parts show; values are told for one of them, with their spread over all."""
SMALL = 0.05
"""Logits: a pair that counts less than this together is said to be independent."""


@dataclass(frozen=True, eq=False)
class PartGame:
    """What the parts of a face are worth with one way of hiding; float64, in logits of the target.

    Attributes:
        shapley: (K,), the mean over all orders in which the parts could be shown.
        alone: (K,), the score with only this part less that with none.
        left_out: (K,), the score of the whole face less that without this part.
        interaction: (K, K), symmetric, zero on the diagonal: how much more two parts add together than apart, as the
            mean over all that can be shown beside them.
    """

    shapley: np.ndarray
    alone: np.ndarray
    left_out: np.ndarray
    interaction: np.ndarray


@dataclass(frozen=True)
class Pair:
    """Two parts, and what they do together.

    Attributes:
        first, second: names of regions.
        value: their interaction with the chosen way of hiding.
        low, high: its spread over all ways.
        relation: "together" where they add more to the side that both speak for than each on its own, "same" where they
            add less because one says much of what the other does, "changes" where they speak for different sides,
            "independent" where the value is small, "unsure" where its sign depends on the way of hiding.
    """

    first: str
    second: str
    value: float
    low: float
    high: float
    relation: str


@dataclass(frozen=True, eq=False)
class Interactions:
    """What the parts of a face are worth, alone and together.

    Attributes:
        target: whose score is shared out.
        fill: the chosen way of hiding, a key of `games`.
        regions: the parts, K names in the order of `models.regions.REGIONS`; without those that have no pixels.
        games: by way of hiding.
    """

    target: Target
    fill: str
    regions: tuple[str, ...]
    games: dict[str, PartGame]

    @property
    def chosen(self) -> PartGame:
        """The game with the chosen way of hiding."""
        return self.games[self.fill]

    def spread(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and the highest value over all ways of hiding, of a field of `PartGame`."""
        values = np.stack([getattr(game, name) for game in self.games.values()])
        return values.min(0), values.max(0)

    def pairs(self) -> list[Pair]:
        """All pairs of parts, those that count most together first."""
        low, high = self.spread("interaction")
        game = self.chosen
        found = [
            Pair(
                self.regions[i],
                self.regions[j],
                float(game.interaction[i, j]),
                float(low[i, j]),
                float(high[i, j]),
                _relation(game, i, j, float(low[i, j]), float(high[i, j])),
            )
            for i in range(len(self.regions))
            for j in range(i + 1, len(self.regions))
        ]
        return sorted(found, key=lambda pair: -abs(pair.value))


def read(model: "Model", face: Face, target: Target, fill: str = FILLS[0]) -> Interactions:
    """What the parts of a face are worth together, from all coalitions of them, each way of hiding in one batch.

    Args:
        model: an emotion model.
        face: with its keypoints.
        target: whose score is shared out.
        fill: the chosen way of hiding, one of `FILLS`.

    Raises:
        ParameterError: the face has no keypoints, or there is no such way of hiding.
    """
    if face.keypoints is None:
        raise ParameterError("The parts of a face without keypoints are unknown", "no keypoints", "Read them first")
    if fill not in FILLS:
        raise ParameterError("The way of hiding is unknown", repr(fill)[:60], f"Use one of {', '.join(FILLS)}")
    masks = regions.masks(face.crop_keypoints, face.crop.shape[0])
    there = np.flatnonzero(masks.any((1, 2)))
    parts = masks[there]
    shown = coalitions(len(parts))
    games = {
        name: game(model.logits(blends(face.crop, baseline_picture(face.crop, name), parts, shown)) @ target.weights)
        for name in (fill, *(other for other in FILLS if other != fill))
    }
    return Interactions(target, fill, tuple(regions.REGIONS[index] for index in there), games)


def coalitions(players: int) -> np.ndarray:
    """All sets of players, bool (2**players, players); player i is in those whose number has bit i."""
    return (np.arange(2**players)[:, None] >> np.arange(players)) % 2 == 1


def game(scores: np.ndarray) -> PartGame:
    """What players are worth by the scores of all their coalitions.

    Args:
        scores: float (2**K,), in the order of `coalitions`, K at least 1.

    Source: Shapley 1953; Grabisch and Roubens 1999, "An axiomatic approach to the concept of interaction among players
    in cooperative games", doi 10.1007/s001820050125, definition 5, for pairs.
    """
    scores = np.asarray(scores, np.float64)
    players = len(scores).bit_length() - 1
    sets, full = np.arange(len(scores)), len(scores) - 1
    size = coalitions(players).sum(1)
    values, interaction = np.zeros(players), np.zeros((players, players))
    for i in range(players):
        without = sets[sets & (1 << i) == 0]
        values[i] = _weight(size[without], players, 1) @ (scores[without | 1 << i] - scores[without])
        for j in range(i):
            rest = without[without & (1 << j) == 0]
            both, one, other = (scores[rest | added] for added in (1 << i | 1 << j, 1 << i, 1 << j))
            interaction[i, j] = interaction[j, i] = _weight(size[rest], players, 2) @ (
                both - one - other + scores[rest]
            )
    alone = np.array([scores[1 << i] - scores[0] for i in range(players)])
    left_out = np.array([scores[full] - scores[full ^ 1 << i] for i in range(players)])
    return PartGame(values, alone, left_out, interaction)


def _weight(size: np.ndarray, players: int, order: int) -> np.ndarray:
    """s! (n - s - order)! / (n - order + 1)! for each size s of a set."""
    sizes, whole = range(players - order + 1), factorial(players - order + 1)
    of = [factorial(s) * factorial(players - s - order) / whole for s in sizes]
    return np.array(of)[size]


def _relation(game: PartGame, i: int, j: int, low: float, high: float) -> str:
    value = game.interaction[i, j]
    if abs(value) < SMALL:
        return "independent"
    if low < 0 < high:
        return "unsure"
    if game.shapley[i] * game.shapley[j] <= 0:
        return "changes"
    return "together" if value * game.shapley[i] > 0 else "same"


WORDS = {
    "together": "{pair} work together: seen together they say {size} more than the sum of what each says on its own.",
    "same": "{pair} say the same: seen together they say {size} less than the sum of what each says on its own.",
    "changes": "{pair} speak for different sides, and together they push {way} {target} by {size} more than apart.",
}
"""A sentence for each relation that is told."""


def sentences(found: Interactions, count: int = 3) -> list[str]:
    """The pairs that count most together in words, at most so many."""
    told = [pair for pair in found.pairs() if pair.relation in WORDS][:count]
    if not told:
        return ["No two parts clearly count more, or less, together than apart."]
    return [
        WORDS[pair.relation].format(
            pair=_capital(f"the {regions.LABELS[pair.first]} and the {regions.LABELS[pair.second]}"),
            size=f"{abs(pair.value):.2f}",
            way="towards" if pair.value > 0 else "away from",
            target=found.target.name,
        )
        for pair in told
    ]


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
