"""Which run of a tab is the latest: the ones before stop at their next step."""


class Cancellation:
    """Counts the runs of one visitor on one tab; lives in a `gr.State`.

    Attributes:
        latest: the number of the run that began last.
        shown: the key of what is on the screen; "" for nothing.

    Gradio's own `cancels` waits until a thread has ended, and loses what is clicked meanwhile.
    """

    def __init__(self):
        self.latest = 0
        self.shown = ""

    def begin(self) -> int:
        """Start a run, or stop the one before: its number, to ask `over` with."""
        self.latest += 1
        return self.latest

    def over(self, token: int) -> bool:
        """Whether a later run has begun, or the visitor has stopped this one."""
        return token != self.latest
