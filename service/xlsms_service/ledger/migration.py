"""Brings a ledger's tables up to the present version, with Alembic."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

__all__ = ["HEAD", "revision", "upgrade"]

#: The newest revision; a test holds it against the files in `migrations/versions`.
HEAD = "0012"


def revision(connection: Connection) -> str | None:
    """The version that the tables have; None when there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def upgrade(engine: Engine) -> None:
    """Run the migrations that are missing; costs one look when none is."""
    with engine.begin() as connection:
        if revision(connection) == HEAD:
            return
    # Alembic takes a fifth of a second to import: only those who need it pay.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
