"""Messages from their bytes, by the definition that comes with them."""

from __future__ import annotations

import pytest

from ros_mbmrl.data.decoding import Decoder
from ros_mbmrl.errors import UserError

TEXT = b"\x00\x01\x00\x00\x03\x00\x00\x00ab\x00"
NUMBER = b"\x00\x01\x00\x00\x07\x00\x00\x00"


def test_each_type_is_decoded_by_its_own_definition() -> None:
    decoder = Decoder()
    for _ in range(2):
        assert decoder.decode("x/msg/Text", b"string data\n", TEXT).data == "ab"
        assert decoder.decode("x/msg/Number", b"int32 data\n", NUMBER).data == 7
        assert decoder.decode("x/msg/Number", b"uint8 data\n", NUMBER).data == 7  # another version


@pytest.mark.parametrize(
    ("definition", "data"),
    [(b"string data\n", NUMBER[:6]), (b"string data\n", b""), (b"wrong wrong wrong\n", TEXT)],
)
def test_what_is_none_is_a_users_error(definition: bytes, data: bytes) -> None:
    with pytest.raises(UserError, match="x/msg/Text: not such a message"):
        Decoder().decode("x/msg/Text", definition, data)
