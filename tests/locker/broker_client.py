"""Says anything to a broker: what the product's own link would never send."""

from collections.abc import Iterable
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Said:
    topic: str
    payload: bytes
    retain: bool = False


def publish(port: int, user: str, password: str, said: Iterable[Said]) -> None:
    """All of it, each taken by the broker before this returns."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id="somebody-else", protocol=MQTTProtocolVersion.MQTTv5
    )
    client.username_pw_set(user, password)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        for each in said:
            client.publish(each.topic, each.payload, qos=1, retain=each.retain).wait_for_publish(PATIENCE_S)
    finally:
        client.disconnect()
        client.loop_stop()
