"""The parts of a running Madoguchi, built once at start and handed to whoever needs them (no globals)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.channels.port import Channel
from bot.charts import Charts
from bot.clock import Clock
from bot.hub import Hub
from bot.settings import Settings
from bot.streams import Streams
from storage.store import Store

if TYPE_CHECKING:
    from bot.alarm import Alarms
    from bot.delivery import Delivery
    from bot.doorman import Doorman
    from bot.living import LivingKnowledge
    from bot.reception import Rules


@dataclass(frozen=True)
class Parts:
    """Everything a route or a job may use."""

    settings: Settings
    clock: Clock
    store: Store
    hub: Hub
    knowledge: "LivingKnowledge"
    channels: Mapping[str, Channel]
    delivery: "Delivery"
    doorman: "Doorman"
    alarms: "Alarms"
    rules: "Rules"
    charts: Charts = field(default_factory=Charts)
    streams: Streams = field(default_factory=Streams)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Webhooks that were not taken, by channel and status: senders without proof leave no other trace (R1)."""
