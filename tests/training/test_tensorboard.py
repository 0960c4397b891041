import pytest

from training import run, tensorboard, train
from training.config import Augmentation, Config

ROWS = [{"epoch": 0, "seconds": 1.5, "loss": 1.0}, {"epoch": 1, "seconds": 1.0, "loss": 0.75, "val_accuracy": 0.5}]


def written(folder) -> list[tuple[str, int, float]]:
    """Every figure in a run's event files: name, epoch, value."""
    import tensorflow as tf

    found = []
    for file in (folder / tensorboard.FOLDER).iterdir():
        for record in tf.data.TFRecordDataset(str(file)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                assert value.metadata.plugin_data.plugin_name == "scalars"
                found.append((value.tag, event.step, float(tf.make_ndarray(value.tensor))))
    return found


def test_every_epoch_is_written_once_also_after_a_kill(tmp_path):
    run.write_log(tmp_path, ROWS[:1])
    tensorboard.TensorBoard(tmp_path).on_epoch_end(0)
    resumed = tensorboard.TensorBoard(tmp_path)
    run.write_log(tmp_path, ROWS)
    resumed.on_epoch_end(1)
    expected = [(name, row["epoch"], value) for row in ROWS for name, value in row.items() if name != "epoch"]
    assert sorted(written(tmp_path)) == sorted(expected)


def test_a_run_is_told_while_it_goes_on(short_cnn, eager, parquet, tmp_path):
    config = Config("cnn", stages=((2, 24),), batch=7, width=0.25, augmentation=Augmentation())
    folder = tmp_path / "cnn"
    train.train(config, parquet, tmp_path, callbacks=[tensorboard.TensorBoard(folder)])
    losses = {epoch: value for name, epoch, value in written(folder) if name == "val_loss"}
    assert losses == pytest.approx({row["epoch"]: row["val_loss"] for row in run.read_log(folder)}, rel=1e-5)
