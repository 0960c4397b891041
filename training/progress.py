"""How a run shows that it goes on: a bar on a terminal, and one line an epoch everywhere."""

from typing import Any, Self

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from training.config import Config


class Progress(keras.callbacks.Callback):
    """One line an epoch; on a terminal also a bar that fills while an epoch runs.

    Args:
        config: of the run.
        metric, sign: what chooses the best epoch, and 1 where more of it is better, else -1.
        log: the epochs that are done; a checkpoint that comes first adds the latest.
        console: where to; standard output if left out.
    """

    def __init__(
        self, config: Config, metric: str, sign: float, log: list[dict[str, Any]], console: Console | None = None
    ):
        super().__init__()
        self.config, self.metric, self.sign, self.log = config, metric, sign, log
        self.console = console or Console(soft_wrap=True)
        self.bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[loss]}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.task = self.bars.add_task(self._title(epoch), total=self.params["steps"], loss="")

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        self.bars.update(self.task, completed=batch + 1, loss=f"loss {float(logs['loss']):.4f}")

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        self.bars.update(self.task, loss="measuring")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.bars.remove_task(self.task)
        row = self.log[-1]
        figures = "  ".join(f"{key} {value:.4f}" for key, value in row.items() if key not in ("epoch", "seconds"))
        best = max(self.log, key=lambda past: self.sign * past[self.metric]) is row
        self.console.print(
            f"{self._title(epoch)}  {row['seconds']:6.1f} s  {figures}{'  best so far' if best else ''}",
            highlight=False,
        )
        self.console.file.flush()

    def _title(self, epoch: int) -> str:
        total = str(self.config.epochs)
        return f"epoch {epoch + 1:{len(total)}}/{total}  {self.config.side(epoch)} px"
