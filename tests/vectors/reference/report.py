"""Counts comparisons; names each that differs."""


class Report:
    """The comparisons of one file."""

    def __init__(self, file):
        self.file = file
        self.passed = 0
        self.failures = []

    def same(self, field, stored, computed):
        if stored == computed:
            self.passed += 1
        else:
            self.failures.append(f"{field}: stored {show(stored)}, computed {show(computed)}")

    def holds(self, field, holds):
        if holds is True:
            self.passed += 1
        else:
            self.failures.append(f"{field}: does not hold")


def show(value):
    if isinstance(value, (bytes, bytearray)):
        value = value.hex()
    text = str(value)
    return text if len(text) <= 200 else f"{text[:160]}... ({len(text)} characters)"
