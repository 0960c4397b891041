"""Clients as they come: programs that ask for predictions and explanations, and visitors who open the page."""

import asyncio
import base64
import json
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

EXAMPLES = Path(__file__).parents[2] / "examples"
TOLERANCE = 0.03
"""Probabilities of the same face may differ by so much from batch to batch, where bfloat16 is used."""
EXPLANATIONS = (("cnn", "gradcam"), ("resnet", "gradcam"), ("vgg16", "gradcam"), ("cnn", "shap_gradient"))
MIX = {"predict": 0.6, "client": 0.15, "explain": 0.1, "page": 0.15}
"""How often each kind of request comes; "client" is a prediction through Gradio's client API."""
RETRIES = 20


@dataclass
class Seen:
    """What clients saw.

    Attributes:
        seconds: by kind, of every answered request, waiting and asking again included.
        refused: answers "come back later", after which the client did.
        lost: requests without an answer.
        mixed: answers about another picture.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    refused: int = 0
    lost: list[str] = field(default_factory=list)
    mixed: int = 0

    @property
    def answered(self) -> int:
        """Requests with an answer."""
        return sum(map(len, self.seconds.values()))


def pictures() -> dict[str, bytes]:
    """The examples by name."""
    return {path.name: path.read_bytes() for path in sorted(EXAMPLES.glob("*.[jp][pn]g"))}


class Crowd:
    """Clients of one server.

    Args:
        url: where it is.
        clients: how many at once; each has one request open at a time.
        seed: of what each asks for.
    """

    def __init__(self, url: str, clients: int, seed: int = 0):
        self.url, self.clients = url.rstrip("/"), clients
        self.pictures, self.expected = pictures(), {}
        self._random = random.Random(seed)

    async def learn(self) -> None:
        """Ask about every picture once, alone, to know what to expect."""
        async with self._http() as http:
            for name in self.pictures:
                self.expected[name] = _told(await self._predict(http, name))

    async def run(self, requests: int, mix: dict[str, float] = MIX) -> Seen:
        """So many requests, shared among the clients as each gets free.

        Args:
            requests: how many in all.
            mix: kind -> share.
        """
        seen = Seen({kind: [] for kind in mix})
        kinds = iter(self._random.choices(list(mix), list(mix.values()), k=requests))
        names = list(self.pictures)

        async def client(http: httpx.AsyncClient) -> None:
            for kind in kinds:
                name = self._random.choice(names)
                started = time.perf_counter()
                try:
                    told = await self._ask(http, kind, name, seen)
                except (httpx.HTTPError, KeyError, ValueError) as error:
                    seen.lost.append(f"{kind}: {type(error).__name__} {error}"[:160])
                    continue
                seen.seconds[kind].append(time.perf_counter() - started)
                seen.mixed += told is not None and not _same(told, self.expected[name])

        async with self._http() as http:
            await asyncio.gather(*(client(http) for _ in range(self.clients)))
        return seen

    async def _ask(self, http: httpx.AsyncClient, kind: str, name: str, seen: Seen):
        if kind == "page":
            await self._again(seen, lambda: http.get("/"))
            return None
        if kind == "explain":
            model, method = EXPLANATIONS[len(name) % len(EXPLANATIONS)]
            image = base64.b64encode(self.pictures[name]).decode()
            asked = {"image": image, "model": model, "method": method, "maps": "none"}
            answer = await self._again(seen, lambda: http.post("/api/v1/explain", json=asked))
            return [{model: answer.json()["prediction"]["probabilities"]}]
        if kind == "client":
            return _told(await self._through_gradio(http, name, seen))
        return _told(await self._predict(http, name, seen))

    async def _predict(self, http: httpx.AsyncClient, name: str, seen: Seen | None = None) -> dict:
        answer = await self._again(seen, lambda: http.post("/predict", files={"file": (name, self.pictures[name])}))
        return answer.json()

    async def _through_gradio(self, http: httpx.AsyncClient, name: str, seen: Seen) -> dict:
        files = {"files": (name, self.pictures[name])}
        path = (await self._again(seen, lambda: http.post("/gradio_api/upload", files=files))).json()[0]
        asked = {"image": {"path": path, "meta": {"_type": "gradio.FileData"}}}
        event = await self._again(seen, lambda: http.post("/gradio_api/call/v2/predict", json=asked))
        stream = await http.get(f"/gradio_api/call/predict/{event.json()['event_id']}")
        lines = stream.text.splitlines()
        if "event: complete" not in lines:
            raise ValueError(stream.text[:120])
        return json.loads(lines[lines.index("event: complete") + 1].removeprefix("data: "))[0]

    async def _again(self, seen: Seen | None, send) -> httpx.Response:
        for _ in range(RETRIES):
            answer = await send()
            if answer.status_code not in (429, 503):
                answer.raise_for_status()
                return answer
            if seen is not None:
                seen.refused += 1
            await asyncio.sleep(float(answer.headers.get("Retry-After", 1)) * (0.5 + self._random.random()))
        raise ValueError(f"refused {RETRIES} times")

    def _http(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=self.clients, max_keepalive_connections=self.clients)
        return httpx.AsyncClient(base_url=self.url, timeout=120, limits=limits)


def _told(answer: dict) -> list[dict[str, dict[str, float]]]:
    """By face: model -> probabilities."""
    return [{said["model"]: said["probabilities"] for said in face["predictions"]} for face in answer["faces"]]


def _same(told: list[dict], expected: list[dict]) -> bool:
    """Whether an answer speaks of the picture; an explanation speaks of one model and the first face."""
    if len(told) != len(expected) and len(told) != 1:
        return False
    return all(
        abs(share - other[model][emotion]) <= TOLERANCE
        for face, other in zip(told, expected, strict=False)
        for model, shares in face.items()
        for emotion, share in shares.items()
    )
