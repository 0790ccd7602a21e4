"""Columns as the steps write them: of one kind, never NULL. Steps are history, so this must not change."""

from typing import Any

import sqlalchemy as sa


def columns(kind: type[sa.types.TypeEngine[Any]], *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind(), nullable=False) for name in names]
