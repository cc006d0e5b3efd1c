"""``python -m nof1``."""

from nof1.cli import run

if __name__ == "__main__":  # workers import this module too
    run()
