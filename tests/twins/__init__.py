"""Strict twins of the platforms: small servers on loopback that refuse what the real ones refuse, and let a test hear what a resident hears."""

from tests.twins.hearing import Bubble, HeardButton, HeardCard, Webhook
from tests.twins.line_twin import LineTwin
from tests.twins.telegram_twin import TelegramTwin

__all__ = ["Bubble", "HeardButton", "HeardCard", "LineTwin", "TelegramTwin", "Webhook"]
