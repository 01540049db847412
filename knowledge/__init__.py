"""What the town knows, pure: entries, hotlines and words in YAML, and hearing a worry with them.

Nothing here knows of channels, databases or the present time; `base.load(folder)` is the door.
"""
