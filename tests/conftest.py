"""What every test can use: the --slow option and its fixture."""

import pytest
from hypothesis import settings

settings.register_profile("syndicate", deadline=None)  # a busy machine is no mistake
settings.load_profile("syndicate")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run what takes long, and with full counts")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="takes long: run with --slow"))


@pytest.fixture(scope="session")
def slow(pytestconfig: pytest.Config) -> bool:
    """True where --slow asks for full counts: `rounds = 500 if slow else 50`."""
    return bool(pytestconfig.getoption("--slow"))
