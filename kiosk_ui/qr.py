"""Codes to photograph, as plain SVG."""

import qrcode
from qrcode.constants import ERROR_CORRECT_M

_QUIET: int = 4
"""Modules of white around the code, as its standard asks."""


def svg(text: str) -> str:
    """A QR code of ``text``: black runs on white, scalable."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(text)
    code.make(fit=True)
    rows = [[bool(dark) for dark in row] for row in code.get_matrix()]
    side = len(rows) + 2 * _QUIET
    path = "".join(_runs(y + _QUIET, row) for y, row in enumerate(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{path}"/></svg>'
    )


def _runs(y: int, row: list[bool]) -> str:
    """One row as rectangles: every stretch of dark modules is one."""
    found, start = [], None
    for x, dark in enumerate([*row, False]):
        if dark and start is None:
            start = x
        elif not dark and start is not None:
            found.append(f"M{start + _QUIET} {y}h{x - start}v1h-{x - start}z")
            start = None
    return "".join(found)
