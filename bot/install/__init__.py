"""What `madoguchi doctor --apply` puts on the platforms: the menu of LINE, the commands and profile of Telegram. Running it again changes nothing."""
