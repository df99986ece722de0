"""Runs ministack, the local AWS, with what these tools mend about it.

They reach into ministack's modules, whose version requirements.txt pins.
"""

from __future__ import annotations

import logging
import threading

import emulator_likeness
import emulator_state
from ministack import app


def main() -> None:
    # A line for every service at every save.
    logging.getLogger("persistence").setLevel(logging.WARNING)
    emulator_likeness.authorize_batches_as_aws_does()
    emulator_likeness.retry_stream_records()
    emulator_likeness.give_parameters_to_the_sam_transform()
    emulator_likeness.take_cors_from_the_body()
    emulator_likeness.answer_options_as_aws_does()
    app.save_all = emulator_state.save
    emulator_state.restore_streams()
    threading.Thread(target=emulator_state.save_now_and_then, daemon=True).start()
    app.main()


if __name__ == "__main__":
    main()
